"""A posts API that trusts nothing it fetched: layers of a `Chain`, without a web framework."""
