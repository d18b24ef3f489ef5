"""The demo: starts everything, tells the story with real calls, leaves nothing behind."""
