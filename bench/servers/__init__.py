"""The servers the benchmark measures: Tidings, and the rivals that a Python developer would otherwise take."""
