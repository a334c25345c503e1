"""Appointments: what is told of them becomes their next version, is kept, published and shown."""
