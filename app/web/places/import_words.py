"""What is wrong with an import file, for people.

The sentences of the importer in the reader's language.
"""

import re
from collections.abc import Mapping

from app.web.language import _
from app.words import N_

WORDS: Mapping[str, str] = {
    r"the file is empty; .*": N_("The file is empty. Its first line must name the columns."),
    r"column '(?P<name>.*)' is unknown; known are (?P<known>.*)": N_(
        "Nobody knows a column %(name)s. Possible are: %(known)s."
    ),
    r"column '(?P<name>.*)' is missing": N_("The column %(name)s is missing."),
    r"column '(?P<name>.*)' is there (?P<times>\d+) times": N_(
        "The column %(name)s is there %(times)s times."
    ),
    r"has (?P<values>\d+) values, the header names (?P<columns>\d+) columns": N_(
        "This line has %(values)s values, but there are %(columns)s columns."
    ),
    r"has a value in a column without a name": N_("There is a value in a column without a name."),
    r"the same .* as on line (?P<line>\d+)": N_("This stands on line %(line)s already."),
    r"must not be blank": N_("This must not be blank."),
    r"the file is UTF-16; .*|byte \d+ is not UTF-8; .*": N_(
        "This cannot be read. Save the file as CSV in UTF-8."
    ),
    r"cannot be read as CSV: .*": N_("This line cannot be read as CSV."),
    r"contains an invisible character .*": N_("There is an invisible character in it."),
    r"has (?P<long>\d+) characters, at most (?P<most>\d+) are allowed": N_(
        "This has %(long)s characters. At most %(most)s are possible."
    ),
    r"must be a whole number from (?P<least>\d+) to (?P<most>\d+), without separators": N_(
        "This must be a whole number from %(least)s to %(most)s."
    ),
    r"must be (?P<yes>\w+) or (?P<no>\w+)": N_("This must be %(yes)s or %(no)s."),
    r"must hold at least one value": N_("There must be at least one value."),
    r"must be one of (?P<known>.*)": N_("This must be one of: %(known)s."),
    r"value (?P<which>.*) of \d+ is not one of (?P<known>.*)": N_(
        "Value %(which)s is not known. Possible are: %(known)s."
    ),
    r"must be the code of a municipality, as in (?P<code>.*)": N_(
        "This must be the code of a municipality, like %(code)s."
    ),
    r"must be no where address_secrecy is confidential": N_(
        "This must be no where the address is confidential."
    ),
    r"must be blank unless status is out_of_service": N_(
        "This must be blank, unless the status is out_of_service."
    ),
    r"must be small letters, .*": N_("This must be small letters, digits and hyphens."),
    r"there is no such provider|is not your own organisation": N_(
        "This is not your own organisation."
    ),
    r"there is no such municipality": N_("There is no such municipality."),
    r"the provider has several of this name; .*": N_(
        "You have several sites of this name. Give them names that differ first."
    ),
    r"the provider has no such site": N_("You have no site of this name. Add it first."),
    r"the site has several of this label": N_("This site has several places of this label."),
    r"a hold or a placement lives on this place: .*": N_(
        "Somebody was promised this place: it stays as it is. Take this line out."
    ),
    r"somebody took this place just now: .*": N_("Somebody took this place just now. Try again."),
}
"""In the words of csv_files.py, csv_columns.py and the importers, whole sentences each."""
SENTENCES = tuple((re.compile(pattern), sentence) for pattern, sentence in WORDS.items())


def explained(message: str) -> str:
    """Return what is wrong, in the reader's language.

    What nobody has words for, as it was said.
    """
    for pattern, sentence in SENTENCES:
        if found := pattern.fullmatch(message):
            return _(sentence) % found.groupdict()
    return message
