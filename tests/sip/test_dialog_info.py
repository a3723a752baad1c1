"""What goes on at an extension, as XML: RFC 4235 §4."""

from xml.etree import ElementTree as Xml

from hypothesis import given
from hypothesis import strategies as st

from sipstrobe.sip.dialog_info import DialogState, Role, ShownDialog, dialog_info

NS = {"d": "urn:ietf:params:xml:ns:dialog-info"}


def test_the_state_is_full_and_counted() -> None:
    """RFC 4235 §4.1."""
    dialog = ShownDialog("in-1", DialogState.EARLY, Role.RECIPIENT, "sip:bob@192.0.2.9")

    root = Xml.fromstring(dialog_info("sip:1001@192.0.2.1", 7, [dialog]))

    assert root.tag == "{urn:ietf:params:xml:ns:dialog-info}dialog-info"
    assert root.attrib == {"version": "7", "state": "full", "entity": "sip:1001@192.0.2.1"}
    [shown] = root
    assert shown.attrib == {"id": "in-1", "direction": "recipient"}
    assert shown.findtext("d:state", namespaces=NS) == "early"
    assert shown.findtext("d:remote/d:identity", namespaces=NS) == "sip:bob@192.0.2.9"


def test_what_has_nobody_at_the_other_end_says_so() -> None:
    dialog = ShownDialog("alarm", DialogState.CONFIRMED, Role.INITIATOR)

    [shown] = Xml.fromstring(dialog_info("sip:1001@192.0.2.1", 0, [dialog]))

    assert [child.tag.rpartition("}")[2] for child in shown] == ["state"]


def test_nothing_goes_on() -> None:
    assert list(Xml.fromstring(dialog_info("sip:1001@192.0.2.1", 0, []))) == []


@given(st.text(max_size=30), st.text(max_size=30))
def test_whatever_a_peer_calls_itself_it_is_xml(name: str, entity: str) -> None:
    """XML 1.0 §2.2: not every character can stand in it, not even escaped."""
    dialog = ShownDialog(name, DialogState.TRYING, Role.INITIATOR, name)

    [shown] = Xml.fromstring(dialog_info(entity, 0, [dialog]))

    remote = shown.findtext("d:remote/d:identity", "", namespaces=NS)
    assert remote == "".join(c for c in name if c.isprintable())
