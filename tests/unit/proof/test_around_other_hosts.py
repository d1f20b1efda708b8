"""Other hosts of a route for a host: their services say on which ports the route counts."""

from support.around import around


def test_another_host_by_name() -> None:
    around(
        """
        both Service shop/a {}
        mesh Service shop/b {}
        none Service shop/c {}
        mesh VirtualService shop/v {hosts: [=a, =b]}
        none VirtualService shop/w {hosts: [=c]}
        none VirtualService shop/x {hosts: [=b]}
        none DestinationRule shop/b {host: =b}
        """
    )


def test_another_host_by_a_wildcard() -> None:
    around(
        """
        both Service shop/a {}
        mesh Service far/b {}
        none Service out/c {}
        mesh VirtualService shop/v {hosts: [=a, '*.far.svc.cluster.local']}
        """
    )


def test_at_a_gateway_a_wildcard_stands_for_no_service() -> None:
    around(
        """
        both Service shop/a {}
        none Service far/b {}
        edge VirtualService shop/v {hosts: [=a, '*.far.svc.cluster.local'], gateways: [g]}
        edge Gateway shop/g {servers: [{port: {number: 80}, hosts: ['*']}]}
        """
    )
