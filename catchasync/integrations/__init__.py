"""One file a framework, with the same verbs: `install`, `as_next`, `wrap_router`.

Import the one of your framework: ``from catchasync.integrations.flask import install``.
"""
