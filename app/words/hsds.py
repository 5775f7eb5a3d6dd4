"""What the public export says of every shelter organisation, and of how it is reached."""

ORGANISATION = {
    "nl": "Organisatie voor opvang van mensen die huiselijk geweld ontvluchten.",
    "en": "Organisation that shelters people who flee domestic violence.",
}
SERVICE = {"nl": "Opvang", "en": "Shelter"}
SERVICE_MEANS = {
    "nl": "Veilige opvang, met begeleiding. Waar die is wordt niet bekendgemaakt; bel het algemene nummer.",
    "en": "Safe shelter, with support. Where it is is not made known; call the switchboard.",
}
LOCATION = {"nl": "Telefonisch", "en": "By telephone"}
