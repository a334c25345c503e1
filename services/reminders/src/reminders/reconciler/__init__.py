"""The hourly comparison of the worker's timers with the appointments that booking has ahead."""
