"""Series: the numbers in the events of a topic, aggregated over time for charts."""
