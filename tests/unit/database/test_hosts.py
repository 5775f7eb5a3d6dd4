from app.database.connections.hosts import hosts_of


def test_each_of_several_hosts_has_a_url_of_its_own_and_is_to_be_written_to() -> None:
    found = hosts_of(
        "postgresql+asyncpg://plek:s%40@one:5432,[::1]:5433,three/plek?sslmode=require"
    )

    assert found.attrs == "read-write"
    assert found.urls == tuple(
        f"postgresql://plek:s%40@{place}/plek?sslmode=require"
        for place in ("one:5432", "[::1]:5433", "three")
    )


def test_what_the_url_says_of_the_server_to_use_holds() -> None:
    assert hosts_of("postgresql://one,two/plek?target_session_attrs=primary").attrs == "primary"


def test_one_host_is_used_as_it_is() -> None:
    found = hosts_of("postgresql+asyncpg://plek:s@/plek?host=/run/one,two")

    assert (found.urls, found.attrs) == (("postgresql://plek:s@/plek?host=/run/one,two",), None)


def test_signs_of_the_url_in_a_password_are_read_as_part_of_it() -> None:
    (url,) = hosts_of("postgresql+asyncpg://plek:se/cr?et@host/plek").urls

    assert url == "postgresql://plek:se%2Fcr%3Fet@host/plek"
