"""Reads a page of metrics with Prometheus's own parser.

    read_metrics.py FILE

Prints a JSON array of {"name", "type", "help", "samples": [{"name", "labels", "value"}]}.
"""

import json
import sys

from prometheus_client.parser import text_string_to_metric_families

with open(sys.argv[1], encoding="utf-8", newline="") as file:
    text = file.read()

json.dump(
    [
        {
            "name": family.name,
            "type": family.type,
            "help": family.documentation,
            "samples": [
                {"name": sample.name, "labels": sample.labels, "value": sample.value} for sample in family.samples
            ],
        }
        for family in text_string_to_metric_families(text)
    ],
    sys.stdout,
)
