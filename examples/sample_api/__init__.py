"""A small shop over HTTP, without a framework: users, orders, and everything that can go wrong."""
