#!/usr/bin/python3
"""Prints a SKU of a shop's catalogue that makes a good example.   example_sku.py CATALOGUE.jsonl"""

import json
import sys

with open(sys.argv[1], encoding="utf-8") as lines:
    products = [json.loads(line) for line in lines]
simple = [product for product in products if product.get("type", "simple") == "simple" and product.get("sku")]
print(simple[len(simple) // 2]["sku"].strip())
