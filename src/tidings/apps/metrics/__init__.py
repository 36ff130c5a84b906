"""The server's own figures: the topic `metrics.server`, an event a second for each process."""
