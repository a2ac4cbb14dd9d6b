"""Earned promotion while requests are served: `book` who may answer, `comparing` the shadows, `stepping` the tests."""
