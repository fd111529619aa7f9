"""A small web service that does what a service on systemd should: readiness, watchdog, sockets, a clean stop."""
