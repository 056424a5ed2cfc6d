"""Work spread over a dask cluster: its failures reach the same `next` as all others."""
