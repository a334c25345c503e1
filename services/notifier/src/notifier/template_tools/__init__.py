"""Checking templates and looking at messages before a patient reads them."""
