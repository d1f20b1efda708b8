"""Argo CD: what a sync really does, and how to make it safe.

`stamp` writes sync waves and barriers into the manifests, `gate` refuses a sync that is not proven
safe, `apply` carries out what waves cannot. All three judge the sync as it is: only a barrier
between two waves counts as waiting.
"""
