import multiprocessing
import socket
from collections.abc import Iterator

import pytest

from stack import ports


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.socket() as server:
        server.bind((ports.LOOPBACK, ports.free_port()))
        server.listen()
        yield server


def test_a_taken_port_is_not_free(listener: socket.socket) -> None:
    assert not ports.is_free(listener.getsockname()[1])


def test_the_next_free_port_is_taken_when_the_wanted_one_is_in_use(listener: socket.socket) -> None:
    wanted = listener.getsockname()[1]

    assert wanted < ports.next_free(wanted) < wanted + 100


def test_a_port_promised_to_another_part_is_passed_over() -> None:
    wanted = ports.free_port()

    assert ports.next_free(wanted, taken={wanted}) > wanted


def test_free_ports_lie_below_those_of_outgoing_connections() -> None:
    assert all(20000 <= ports.free_port() < 32000 for _ in range(20))


def test_no_port_is_given_twice_though_nobody_listens_yet() -> None:
    given = [ports.free_port() for _ in range(2_000)]

    assert len(set(given)) == len(given)


def test_a_forked_process_walks_elsewhere() -> None:
    with multiprocessing.get_context("fork").Pool(1) as pool:
        theirs = pool.apply(_three_ports)

    assert theirs != _three_ports()


def _three_ports() -> list[int]:
    return [ports.free_port() for _ in range(3)]
