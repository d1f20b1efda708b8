"""Plan, prove and check changes to Istio and Kubernetes manifests before they are applied."""

__version__ = "0.1.0"
