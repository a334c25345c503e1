"""iCalendar (RFC 5545, 5546): visits as events of a calendar."""
