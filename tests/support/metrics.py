"""What a process shows at `/metrics`."""

from prometheus_client.parser import text_string_to_metric_families


def shown(text: str) -> set[str]:
    """Return the names of the families in an exposition, as docs/metrics.md calls them."""
    families = [one for one in text_string_to_metric_families(text) if not one.name.endswith("_created")]
    return {f"{one.name}_total" if one.type == "counter" else one.name for one in families}
