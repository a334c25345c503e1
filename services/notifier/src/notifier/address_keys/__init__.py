"""The secrets under which addresses are kept, and what older versions kept without one."""
