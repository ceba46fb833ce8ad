"""One file per corpus or layout; none knows another."""
