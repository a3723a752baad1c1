"""/vapix/call: the SIP configuration, accounts and codecs, which are the settings of everybody."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from sipstrobe.config.certificates import Certificate
from sipstrobe.context import Context
from sipstrobe.rules.actions import Call
from sipstrobe.rules.settings import Condition, Rule
from sipstrobe.secret import Secret
from sipstrobe.sip.account import Account
from sipstrobe.sip.settings import NatSettings, SipSettings, TlsSettings, TurnServer
from sipstrobe.web.compat.call_commands import AT_ONCE
from sipstrobe.web.server import WebServer
from tests.support.call_door import NOT_SUPPORTED, SENDER_INVALID, SENDER_MISSING, Program
from tests.support.web import CHEAP, Device

PEER, PBX = "sip_account_0", "sip_account_1"


@pytest.fixture
async def device(context: Context) -> Device:
    return Device.make(context)


@pytest.fixture
async def ada(device: Device) -> AsyncIterator[Program]:
    """An administrator."""
    server = WebServer(device.context, device.store, device.views(), cost=CHEAP)
    yield await Program.of(server, "ada")
    await server.aclose()


async def configured(ada: Program, **values: object) -> dict[str, Any]:
    """The configuration once these are set."""
    assert await ada.order("SetSIPConfiguration", SIPConfiguration=values) == {}
    return (await ada.order("GetSIPConfiguration"))["SIPConfiguration"]


async def account(ada: Program, name: str = PBX) -> dict[str, Any]:
    return (await ada.order("GetSIPAccount", SIPAccountId=name))["SIPAccount"]


# --- the configuration ----------------------------------------------------------------------------


async def test_a_new_device_is_off_and_says_so_in_all_fields(ada: Program) -> None:
    """GAP-21, GAP-22, GAP-27."""
    told = (await ada.order("GetSIPConfiguration"))["SIPConfiguration"]

    attributes = {one["Name"]: one["Value"] for one in told.pop("Attribute")}
    assert told == {
        "SIPEnabled": False,
        "SIPPort": 5060,
        "SIPTLSPort": 5061,
        "RTPStartPort": 4000,
        "STUNEnabled": False,
        "STUNServers": [],
        "TURNEnabled": False,
        "TURNServers": [],
        "ICEEnabled": False,
        "AllowIncomingCalls": False,
        "ApplyUserAuthentication": False,
        "AllowedUsers": [],
        "ApplyAllowedURIs": False,
        "AllowedURIs": [],
        "ApplyAccessList": False,
        "AccessList": [],
        "AccessListPolicy": "Allow",
        "CallingTimeout": 60,
        "AnsweringTimeout": 60,
    }
    assert attributes["MaxCallDuration"] == "0"
    assert attributes["DisableTCPSwitch"] == "false"
    assert attributes["RegistrationInterval"] == "3600"


async def test_what_is_set_here_is_the_setting_of_everybody(ada: Program, device: Device) -> None:
    """SIP-01…10, ACL-01…03."""
    told = await configured(
        ada,
        SIPEnabled=True,
        SIPPort=5070,
        CallingTimeout=30,
        STUNEnabled=True,
        STUNServers=[{"Server": "stun.test"}],
        ApplyAccessList=True,
        AccessListPolicy="Block",
        AccessList=["sip:eve@x.test", "192.0.2.0/24"],
        Attribute=[
            {"Name": "DisableTCPSwitch", "Value": "true"},
            {"Name": "MaxCallDuration", "Value": "120"},
            {"Name": "AudioDirection", "Value": "receive"},
            {"Name": "NobodyKnows", "Value": "x"},
        ],
    )

    sip = device.store.current.sip
    assert (sip.enabled, sip.port, sip.calling_timeout) == (True, 5070, 30)
    assert (sip.nat.stun, sip.nat.stun_server) == (True, "stun.test")
    assert (sip.access.enabled, sip.access.policy) == (True, "block")
    assert sip.access.entries == ("sip:eve@x.test", "192.0.2.0/24")
    assert (sip.udp_to_tcp, sip.end_calls_after, sip.audio_direction) == (False, 120, "receive")
    assert told["AccessListPolicy"] == "Block"
    assert {"Name": "MaxCallDuration", "Value": "120"} in told["Attribute"]


async def test_what_is_not_named_stays_unless_the_defaults_are_wanted(
    ada: Program, device: Device
) -> None:
    endless = [{"Name": "MaxCallDuration", "Value": "0"}]
    device.store.change_now({"sip": {"ringing_timeout": 20, "end_calls_after": 60, "port": 5070}})

    kept = await configured(ada, SIPEnabled=True, Attribute=endless)
    await ada.order("SetSIPConfiguration", SIPConfiguration={"SIPPort": 5080}, KeepCurrent=False)

    assert (kept["AnsweringTimeout"], kept["SIPPort"]) == (20, 5070)
    sip = device.store.current.sip
    assert sip.end_calls_after is None
    assert (sip.enabled, sip.port, sip.ringing_timeout) == (False, 5080, 60)


async def test_what_was_told_may_be_set_as_it_is(ada: Program, device: Device) -> None:
    """So do forms that know the whole of it, with what is always off."""
    told = (await ada.order("GetSIPConfiguration"))["SIPConfiguration"]
    before = device.store.current

    assert await configured(ada, **told) == told
    assert device.store.current.sip == before.sip


async def test_it_is_set_by_lines_as_well(ada: Program, device: Device) -> None:
    lines = await ada.simply(
        "SetSIPConfiguration",
        SIPConfiguration_SIPEnabled="true",
        SIPConfiguration_SIPPort="5062",
        SIPConfiguration_AccessList_0='"sip:1@x"',
        SIPConfiguration_AccessList_1="sip:2@x",
        SIPConfiguration_AccessListPolicy="null",
        SIPConfiguration_STUNServers_0_Server="stun.test",
    )

    assert lines == ""
    sip = device.store.current.sip
    assert (sip.enabled, sip.port, sip.nat.stun_server) == (True, 5062, "stun.test")
    assert sip.access.entries == ("sip:1@x", "sip:2@x")


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"SIPPort": 1023}, SENDER_INVALID),
        ({"SIPPort": 10**30}, SENDER_INVALID),
        ({"SIPPort": "many"}, SENDER_INVALID),
        ({"SIPPort": True}, SENDER_INVALID),
        ({"SIPEnabled": "perhaps"}, SENDER_INVALID),
        ({"SIPEnabled": 1}, SENDER_INVALID),
        ({"CallingTimeout": 601}, SENDER_INVALID),
        ({"SIPTLSPort": 5060}, SENDER_INVALID),
        ({"STUNServers": [{"Server": "a"}, {"Server": "b"}]}, SENDER_INVALID),
        ({"STUNServers": [{"Name": "x"}]}, SENDER_MISSING),
        ({"STUNServers": "x"}, SENDER_INVALID),
        ({"STUNServers": ["x"]}, SENDER_INVALID),
        ({"STUNEnabled": True}, SENDER_INVALID),
        ({"AccessList": [1]}, SENDER_INVALID),
        ({"AccessListPolicy": "Both"}, SENDER_INVALID),
        ({"Attribute": [{"Name": "MaxCallDuration", "Value": "long"}]}, SENDER_INVALID),
        ({"Attribute": [{"Name": "MaxCallDuration"}]}, SENDER_MISSING),
        ({"Attribute": [{"Name": "AudioDirection", "Value": "up"}]}, SENDER_INVALID),
        ({"ApplyUserAuthentication": True}, NOT_SUPPORTED),
        ({"AllowedURIs": ["sip:1@x"]}, NOT_SUPPORTED),
        ("all", SENDER_INVALID),
        (None, SENDER_MISSING),
    ],
)
async def test_a_configuration_that_cannot_be_is_refused_whole(
    ada: Program, device: Device, values: Any, fault: tuple[str, ...]
) -> None:
    before = device.store.revision
    several = {"SIPConfiguration": values, "KeepCurrent": False}

    assert await ada.refused("SetSIPConfiguration", **several) == fault
    assert device.store.revision == before


async def test_a_refusal_names_the_field_and_its_range(ada: Program) -> None:
    answer = await ada.send({"axcall:SetSIPConfiguration": {"SIPConfiguration": {"SIPPort": 1}}})

    assert b"SIPPort must be a whole number from 1024 to 65535" in answer.body


async def test_passwords_of_relays_are_kept_and_never_told(ada: Program, device: Device) -> None:
    server = TurnServer(address="t.test", user="u", password=Secret("hidden"), transport="tls")
    nat = NatSettings(turn=True, turn_servers=(server,))
    device.store.change_now({"sip": {"nat": nat}})

    told = (await ada.order("GetSIPConfiguration"))["SIPConfiguration"]["TURNServers"]
    another = {"Server": "t2.test", "Username": "v", "Password": "other"}
    await configured(ada, TURNServers=[*told, another])

    assert told == [{"Server": "t.test", "Username": "u", "Password": None}]
    assert device.store.current.sip.nat.turn_servers == (
        server,
        TurnServer(address="t2.test", user="v", password=Secret("other")),
    )


async def test_attributes_tell_what_they_may_be(ada: Program) -> None:
    config = (await ada.order("GetSupportedSIPConfigurationAttributes"))["AttributeInfo"]

    assert {"Name": "DisableTCPSwitch", "Type": "bool", "Default": "false"} in config
    assert {"Name": "MaxCallDuration", "Type": "int", "Default": "0"} in config
    assert await ada.order("GetSupportedSIPAccountAttributes") == {"AttributeInfo": []}


# --- accounts -------------------------------------------------------------------------------------


async def test_the_account_of_a_new_device(ada: Program) -> None:
    told = await account(ada, PEER)

    assert (told["Id"], told["IsDefault"], told["AutoAnswerEnabled"]) == (PEER, True, True)
    assert (told["Registrar"], told["PublicDomain"]) == (None, None)
    assert (told["Transport"], told["MediaEncryption"]) == ("udp", "None")
    assert told["DTMFConfigurationId"] == "dtmf_config_default"


async def test_an_account_is_added_changed_and_removed(ada: Program, device: Device) -> None:
    """SAC-01, SAC-02, SAC-07…13."""
    new: dict[str, Any] = {
        "UserId": "200",
        "PublicDomain": "pbx.test",
        "Password": "hidden",
        "Name": "PBX",
        "IsDefault": True,
        "SIPSEnabled": True,
        "MediaEncryption": "SRTPMandatory",
        "SIPProxies": [{"Server": "p.test", "Username": "u", "Password": "x"}],
    }
    assert await ada.order("SetSIPAccount", SIPAccount=new) == {"SIPAccountId": PBX}
    peer, pbx = device.store.current.sip.accounts
    assert (peer.default, pbx.default, pbx.kind) == (False, True, "registered")
    assert (pbx.transport, pbx.media_encryption) == ("tls", "mandatory"), "SIPS is over TLS"
    assert pbx.password == Secret("hidden")

    told = await account(ada)
    assert "hidden" not in str(told)
    told["Name"] = "Exchange"
    assert await ada.order("SetSIPAccount", SIPAccount=told) == {"SIPAccountId": PBX}
    _, again = device.store.current.sip.accounts
    assert again.name == "Exchange"
    assert (again.password, again.proxies) == (pbx.password, pbx.proxies), "what is not said stays"

    assert await ada.order("RemoveSIPAccount", SIPAccountId=PBX) == {}
    (left,) = device.store.current.sip.accounts
    assert (left.id, left.default) == (PEER, True), "one is always the default"


async def test_an_account_without_server_is_called_by_address(ada: Program, device: Device) -> None:
    """GAP-29."""
    await ada.order("SetSIPAccount", SIPAccount={"UserId": "200", "Registrar": "r.test"})
    kinds = [device.store.current.sip.accounts[1].kind]
    await ada.order("SetSIPAccount", SIPAccount={"Id": PBX, "Registrar": None})
    kinds.append(device.store.current.sip.accounts[1].kind)

    assert kinds == ["registered", "peer_to_peer"]


async def test_when_all_accounts_are_gone_there_is_the_first_again(
    ada: Program, device: Device
) -> None:
    """GAP-29."""
    await ada.order("SetSIPAccounts", SIPAccount=[{"UserId": "1"}, {"Id": "mine", "UserId": "2"}])
    told = (await ada.order("GetSIPAccounts", SIPAccountId=["mine", "nobody"]))["SIPAccount"]
    assert [one["Id"] for one in told] == ["mine"]

    await ada.order("RemoveSIPAccounts", SIPAccountId=[PEER, PBX, "mine", "nobody"])

    assert device.store.current.sip.accounts == SipSettings().accounts


async def test_others_are_the_same_when_one_is_gone(ada: Program, device: Device) -> None:
    """An id names one account, whatever becomes of the others, and whoever removes them."""
    await ada.order("SetSIPAccounts", SIPAccount=[{"UserId": "1"}, {"UserId": "2"}])
    first, _, last = device.store.current.sip.accounts
    device.store.change_now({"sip": {"accounts": [first, last]}})

    assert (await account(ada, last.id))["UserId"] == "2"


async def test_several_are_set_all_or_none(ada: Program, device: Device) -> None:
    both = [{"UserId": "1"}, {"UserId": "a b"}]

    assert await ada.refused("SetSIPAccounts", SIPAccount=both) == SENDER_INVALID
    assert len(device.store.current.sip.accounts) == 1


async def test_as_many_are_set_at_once_as_hold_up_nobody(ada: Program, device: Device) -> None:
    """Each is compared with the others: calls and sound would wait a minute for thousands."""
    many = [{"UserId": f"{n}"} for n in range(AT_ONCE + 1)]

    assert await ada.refused("SetSIPAccounts", SIPAccount=many) == SENDER_INVALID
    assert len((await ada.order("SetSIPAccounts", SIPAccount=many[1:]))["SIPAccountId"]) == AT_ONCE
    assert len(device.store.current.sip.accounts) == 1 + AT_ONCE


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"Name": "x"}, SENDER_MISSING),
        ({"UserId": "sipstrobe"}, SENDER_INVALID),
        ({"UserId": "1", "Transport": "carrier pigeon"}, SENDER_INVALID),
        ({"UserId": "1", "MediaEncryption": "SRTPMandatory"}, SENDER_INVALID),
        ({"UserId": "1", "MediaEncryption": "some"}, SENDER_INVALID),
        ({"UserId": "1", "Registrar": "a b"}, SENDER_INVALID),
        ({"UserId": "1", "Certificate": "nobody's"}, SENDER_INVALID),
        ({"UserId": "1", "EncryptionProtocols": "TLSv1"}, SENDER_INVALID),
        ({"UserId": "1", "EncryptionProtocols": "TLSv12,SSLv3"}, SENDER_INVALID),
        ({"UserId": "1", "SIPProxies": [{"Username": "u"}]}, SENDER_MISSING),
        ({"UserId": "1", "DTMFConfigurationId": "nobody's"}, SENDER_INVALID),
        ({"UserId": "1", "Id": "x" * 65}, SENDER_INVALID),
        ({"UserId": "1", "AllowMWI": True}, NOT_SUPPORTED),
        ({"UserId": "1", "StreamParameters": "fps=5"}, NOT_SUPPORTED),
    ],
)
async def test_an_account_that_cannot_be_is_refused(
    ada: Program, device: Device, values: dict[str, Any], fault: tuple[str, ...]
) -> None:
    assert await ada.refused("SetSIPAccount", SIPAccount=values) == fault
    assert len(device.store.current.sip.accounts) == 1


async def test_what_tls_accounts_share_is_one_setting(ada: Program, device: Device) -> None:
    """SAC-10, GAP-28."""
    own = Certificate(name="web", certificate="-----BEGIN", private_key=Secret("key"))
    device.store.change_now({"certificates": [own]})
    shared = {"Certificate": "web", "VerifyServerCertificate": False}

    await ada.order(
        "SetSIPAccount", SIPAccount={"Id": PEER, "EncryptionProtocols": "TLSv1, TLSv12", **shared}
    )

    tls = device.store.current.sip.tls
    assert (tls.certificate, tls.verify, tls.versions) == ("web", False, "1.2")
    told = await account(ada, PEER)
    assert told["EncryptionProtocols"] == "TLSv12"
    assert {name: told[name] for name in shared} == shared


async def test_a_certificate_without_a_name_stays_when_its_account_is_set_as_told(
    ada: Program, device: Device
) -> None:
    tls = TlsSettings(certificate="-----BEGIN CERTIFICATE-----", private_key=Secret("key"))
    device.store.change_now({"sip": {"tls": tls}})

    told = await account(ada, PEER)
    await ada.order("SetSIPAccount", SIPAccount=told)

    assert told["Certificate"] == ""
    assert device.store.current.sip.tls == tls


async def test_whom_a_rule_calls_from_is_not_removed(ada: Program, device: Device) -> None:
    await ada.order("SetSIPAccount", SIPAccount={"UserId": "200", "Name": "PBX"})
    rule = Rule(
        name="Help",
        when=Condition(event="input/manual_trigger", match={"trigger": "1"}),
        action=Call(uri="sip:1@x", account="PBX"),
    )
    device.store.change_now({"rules": [rule]})

    assert await ada.refused("RemoveSIPAccount", SIPAccountId=PBX) == SENDER_INVALID
    assert len(device.store.current.sip.accounts) == 2


# --- how accounts stand ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "code", "status", "words"),
    [
        ("registered", 200, 200, "OK"),
        ("trying", 0, 100, "Trying"),
        ("failed", 403, 403, "Forbidden"),
        ("failed", 0, 408, "Request Timeout"),
        ("given_up", 0, 408, "Request Timeout"),
    ],
)
async def test_how_an_account_stands_is_a_sip_status(
    ada: Program, device: Device, state: str, code: int, status: int, words: str
) -> None:
    """SAC-03."""
    peer = Account(default=True)
    pbx = Account(name="PBX", user_id="200", kind="registered", domain="pbx.test")
    device.store.change_now({"sip": {"enabled": True, "accounts": [peer, pbx]}})
    off: dict[str, object] = {
        "account": "peer-to-peer",
        "state": "off",
        "uri": "",
        "server": "",
        "code": 0,
    }
    told: dict[str, object] = {"account": "PBX", "state": state, "server": "pbx.test"}
    device.registrations += [off, told | {"uri": "sip:200@pbx.test", "code": code}]

    statuses = (await ada.order("GetSIPAccountStatuses"))["SIPAccountStatus"]

    assert statuses[1] == {
        "SIPAccountId": PBX,
        "SIPURI": "sip:200@pbx.test",
        "RegURI": "sip:pbx.test",
        "Status": status,
        "StatusText": words,
        "IsDefault": False,
    }
    assert (statuses[0]["Status"], statuses[0]["StatusText"]) == (0, "Does not register")
    assert statuses[0]["SIPURI"].startswith("sip:")


async def test_nothing_registers_while_sip_is_off(ada: Program) -> None:
    await ada.order("SetSIPAccount", SIPAccount={"UserId": "200", "Registrar": "r.test"})

    one = await ada.order("GetSIPAccountStatus", SIPAccountId=PBX)

    assert one["SIPAccountStatus"] == {
        "SIPAccountId": PBX,
        "SIPURI": "sip:200@r.test",
        "RegURI": "",
        "Status": 0,
        "StatusText": "SIP disabled",
        "IsDefault": False,
    }


# --- codecs ---------------------------------------------------------------------------------------


async def test_codecs_are_set_for_all_accounts_in_their_order(ada: Program, device: Device) -> None:
    """SIP-11, GAP-31."""
    await ada.order("SetSIPAccount", SIPAccount={"UserId": "200"})
    wanted = [{"Name": "PCMA"}, {"Name": "l16", "SampleRate": 8000}, {"Name": "L16"}]

    assert await ada.order("SetAudioCodecs", AudioCodec=wanted) == {}

    for one in device.store.current.sip.accounts:
        assert one.codecs == ("PCMA", "L16/8000", "L16/16000")
    assert (await ada.order("GetAudioCodecs"))["AudioCodec"] == [
        {"Name": "PCMA", "SampleRate": 8000},
        {"Name": "L16", "SampleRate": 8000},
        {"Name": "L16", "SampleRate": 16000},
    ]
    default = (await ada.order("GetDefaultAudioCodecs"))["AudioCodec"]
    supported = (await ada.order("GetSupportedAudioCodecs"))["AudioCodec"]
    assert {"Name": "PCMU", "SampleRate": 8000} in default
    assert all(codec in supported for codec in default)


@pytest.mark.parametrize("codecs", [[], [{"Name": "speex"}], [{"Name": "PCMU"}, {"Name": "PCMU"}]])
async def test_codecs_that_cannot_be_are_refused(ada: Program, codecs: Any) -> None:
    assert await ada.refused("SetAudioCodecs", AudioCodec=codecs) == SENDER_INVALID


async def test_how_media_can_be_encrypted(ada: Program) -> None:
    told = await ada.order("GetSupportedMediaEncryptionModes")

    assert told == {"MediaEncryption": ["None", "SRTPBestEffort", "SRTPMandatory"]}
