"""The name and the address of a site, each sealed so that it can be replaced by itself."""

from collections.abc import Mapping
from typing import Any

from app.registry.store.site_rows import SiteRow
from app.seal import DataKey, Keyring


def unseal_key(row: SiteRow, keyring: Keyring) -> DataKey:
    """Return the data key of a site."""
    return keyring.unwrap(row.key, row=str(row.id))


def seal_site(key: DataKey, site_id: object, *, name: str, address: Mapping[str, str]) -> bytes:
    """Seal the name and the address that a new site begins with."""
    return key.seal_json({"name": name, "address": dict(address)}, row=str(site_id))


def seal_name(key: DataKey, site_id: object, name: str) -> bytes:
    """Seal another name of a site."""
    return key.seal(name.encode(), row=f"{site_id} name")


def seal_address(key: DataKey, site_id: object, address: Mapping[str, str]) -> bytes:
    """Seal another address of a site."""
    return key.seal_json(dict(address), row=f"{site_id} address")


def name_of(row: SiteRow, key: DataKey) -> str:
    """Return the name of a site."""
    if row.renamed is not None:
        return key.unseal(row.renamed, row=f"{row.id} name").decode()
    name: str = _content(key, row.id, row.sealed)["name"]
    return name


def address_of(
    key: DataKey, site_id: object, *, sealed: bytes, moved_to: bytes | None
) -> Mapping[str, str]:
    """Return the address of a site: the newer one, if there is one."""
    if moved_to is not None:
        newer: dict[str, str] = key.unseal_json(moved_to, row=f"{site_id} address")
        return newer
    first: dict[str, str] = _content(key, site_id, sealed)["address"]
    return first


def _content(key: DataKey, site_id: object, sealed: bytes) -> Mapping[str, Any]:
    content: Mapping[str, Any] = key.unseal_json(sealed, row=str(site_id))
    return content
