"""A shop's orders: what goes wrong halfway is undone, also where two clients come at once."""
