"""Serving: the recogniser over HTTP and WebSocket, and the web page that uses both."""
