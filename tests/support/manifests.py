"""Small manifests for tests that need a mesh."""

SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: reviews, namespace: shop}
spec:
  selector: {app: reviews}
  ports: [{name: http, port: 9080}]
"""

RULE = """\
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata:
  name: reviews
  namespace: shop
spec:
  host: reviews
  subsets:
    - name: v1
      labels: {version: v1}
"""

RULE_V2 = f"""{RULE}\
    - name: v2
      labels: {{version: v2}}
"""

ROUTE = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: reviews
  namespace: shop
spec:
  hosts: [reviews]
  http:
    - route:
        - destination: {host: reviews, subset: v1}
"""

ROUTE_V2 = ROUTE.replace("subset: v1", "subset: v2")

#: A subset is added and used at once: the DestinationRule has to come first.
BASE = {"shop/service.yaml": SERVICE, "shop/rule.yaml": RULE, "shop/route.yaml": ROUTE}
HEAD = {"shop/rule.yaml": RULE_V2, "shop/route.yaml": ROUTE_V2}
