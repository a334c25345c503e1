"""What every process of Attend has: settings, logs, metrics, health, its parts and how it ends."""
