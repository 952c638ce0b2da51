"""What the session of a call is, seen by the strict double that received it."""

import asyncio
import time

import pytest

from harness.agent import attempt, receipt_of, run, text_of, value_of
from harness.gateway import READ_STATEMENT, ROLE, Gateway, allow, tools_upstream

pytestmark = pytest.mark.xdist_group("edge")

OBJECT = {"bucket": "invoices", "key": "a"}


def gateway(edge, folder, remits, upstream=None, **sections):
    return Gateway(folder, {"*": edge.endpoint}, {"t": upstream or tools_upstream()}, remits, **sections)


def seed(edge):
    """One small object in each bucket, put by the broker itself."""
    import boto3

    from harness.edge import BASE_KEY, BASE_SECRET

    s3 = boto3.client("s3", endpoint_url=edge.endpoint, region_name="us-east-1", aws_access_key_id=BASE_KEY,
                      aws_secret_access_key=BASE_SECRET)
    for bucket in ("invoices", "other"):
        s3.put_object(Bucket=bucket, Key="a", Body=b"hello")
    edge.forget()


def test_the_session_carries_policy_tags_source_identity_and_all_else(edge, tmp_path):
    seed(edge)
    made = gateway(edge, tmp_path, [{
        "name": "read", "tools": ["t/read_object"], "role": ROLE, "session": [READ_STATEMENT],
        "tags": {"Team": "billing"}, "transitive": ["AccessType", "Team"], "external_id": "ext-77", "duration": "20m"}])

    async def scenario():
        async with made.session() as session:
            result = await session.call_tool("read_object", OBJECT)
            assert value_of(result) == "hello"
            return receipt_of(result)

    receipt = run(scenario())
    minted = edge.sessions()
    assert len(minted) == 1
    session = minted[0]
    assert session["role"] == ROLE and session["external_id"] == "ext-77" and session["duration"] == 1200
    assert session["tags"] == {"AccessType": "AI", "Team": "billing"}
    assert sorted(session["transitive"]) == ["AccessType", "Team"] and session["source_identity"] == "jane"
    assert session["policy"] == ('{"Statement":[{"Action":["s3:GetObject","s3:ListBucket"],"Effect":"Allow","Resource":'
                                 '["arn:aws:s3:::invoices","arn:aws:s3:::invoices/*"]}],"Version":"2012-10-17"}') or \
        (" " not in session["policy"] and "s3:GetObject" in session["policy"])
    got = [r for r in edge.requests("s3") if r["operation"] == "GetObject"]
    assert len(got) == 1 and got[0]["session"]["access_key_id"] == session["access_key_id"]
    assert receipt["session"] in (session["name"], session["arn"])


def test_arguments_bind_the_session_and_hostile_ones_are_refused(edge, tmp_path):
    seed(edge)
    made = gateway(edge, tmp_path, [{
        "name": "read-one", "tools": ["t/read_object"], "role": ROLE,
        "arguments": {"bucket": {"pointer": "/bucket", "grammar": "bucket"}, "key": {"pointer": "/key", "grammar": "key"}},
        "session": [allow("s3:GetObject", "arn:aws:s3:::${arg:bucket}/${arg:key}")]}])
    hostile = ["*", "a*", "invoices/*", "${aws:username}", "inv?ices", 'a","Action":"*', "a\nb", "..", "", "x" * 2000]

    async def scenario():
        async with made.session() as session:
            good = await session.call_tool("read_object", OBJECT)
            return good, [await attempt(session, "read_object", {"bucket": value, "key": "a"}) for value in hostile]

    good, bad = run(scenario())
    assert value_of(good) == "hello"
    for value, (refused, _) in zip(hostile, bad):
        assert refused, value
    assert len(edge.sessions()) == 1, "nothing was minted for a hostile argument"
    assert "arn:aws:s3:::invoices/a" in edge.sessions()[0]["policy"]


def test_a_role_is_chosen_by_an_argument_from_a_fixed_map(edge, tmp_path):
    prod, dev = "arn:aws:iam::111111111111:role/agents/x", "arn:aws:iam::222222222222:role/agents/x"
    made = gateway(edge, tmp_path, [{
        "name": "who", "tools": ["t/aws"], "role": {"argument": "account", "map": {"prod": prod, "dev": dev}},
        "arguments": {"account": {"pointer": "/parameters/StackName", "grammar": {"values": ["prod", "dev"]}}},
        "session": [allow("cloudformation:DescribeStacks")]}])

    async def scenario():
        async with made.session() as session:
            return [await attempt(session, "aws", {"service": "cloudformation", "operation": "describe_stacks",
                                                   "parameters": {"StackName": name}}) for name in ("prod", "dev", "staging")]

    assert run(scenario())[2][0], "an account that is not in the map"
    assert sorted(s["role"] for s in edge.sessions()) == [prod, dev]
    assert [r["session"]["role"] for r in edge.requests("cloudformation")] == [prod, dev]


def test_two_tools_act_as_two_sessions_at_the_same_time(edge, tmp_path):
    seed(edge)
    made = gateway(edge, tmp_path, [
        {"name": "one", "tools": ["t/read_object"], "role": ROLE, "session": [READ_STATEMENT]},
        {"name": "two", "tools": ["t/aws"], "role": ROLE, "session": [allow("s3:GetObject", "arn:aws:s3:::other/*")]}])
    edge.faults({"operation": "GetObject", "do": "delay", "seconds": 1.5})

    async def scenario():
        async with made.session() as session:
            start = time.monotonic()
            one, two = await asyncio.gather(
                session.call_tool("read_object", OBJECT),
                session.call_tool("aws", {"service": "s3", "operation": "get_object", "parameters": {"Bucket": "other", "Key": "a"}}))
            assert not one.isError and not two.isError, (text_of(one), text_of(two))
            return time.monotonic() - start

    run(scenario())
    got = {r["path"]: r for r in edge.requests("s3") if r["operation"] == "GetObject"}
    first, second = got["/invoices/a"], got["/other/a"]
    assert first["session"]["access_key_id"] != second["session"]["access_key_id"]
    assert abs(first["time"] - second["time"]) < 1.4, "they ran one after the other"


def test_many_waiting_calls_share_one_mint(edge, tmp_path):
    seed(edge)
    made = gateway(edge, tmp_path, [{"name": "read", "tools": ["t/read_object"], "role": ROLE, "session": [READ_STATEMENT]}])
    edge.faults({"service": "sts", "operation": "AssumeRole", "do": "delay", "seconds": 1})

    async def scenario():
        async with made.session() as session:
            results = await asyncio.gather(*(session.call_tool("read_object", OBJECT) for _ in range(8)))
            assert all(value_of(r) == "hello" for r in results)

    run(scenario())
    assert len(edge.sessions()) == 1


def test_a_session_is_renewed_in_the_middle_of_a_long_call(edge, tmp_path):
    seed(edge)
    edge.configure(session_seconds=8)
    made = gateway(edge, tmp_path, [{"name": "read", "tools": ["t/slow_reads"], "role": ROLE, "session": [READ_STATEMENT]}])

    async def scenario():
        async with made.session() as session:
            return await session.call_tool("slow_reads", {**OBJECT, "times": 14, "gap": 1})

    reads = value_of(run(scenario()))
    assert all(r["ok"] for r in reads), [r for r in reads if not r["ok"]]
    used = {r["session"]["access_key_id"] for r in edge.requests("s3") if r["operation"] == "GetObject"}
    assert len(used) >= 2, "one session cannot have lasted so long"
    assert len({s["policy"] for s in edge.sessions()}) == 1


def test_a_session_that_aws_ends_early_gives_a_clear_error_and_the_next_call_works(edge, tmp_path):
    seed(edge)
    made = gateway(edge, tmp_path, [{"name": "read", "tools": ["t/slow_reads", "t/read_object"], "role": ROLE, "session": [READ_STATEMENT]}])

    async def scenario():
        async with made.session() as session:
            assert value_of(await session.call_tool("read_object", OBJECT)) == "hello"
            edge.expire_sessions()
            first = await session.call_tool("read_object", OBJECT)
            second = await session.call_tool("read_object", OBJECT)
            return first, second

    first, second = run(scenario())
    assert not first.isError or "xpired" in text_of(first)
    assert value_of(second) == "hello", "the dead session is not used for ever"


def test_identity_and_startup_are_answered_without_the_brokers_identity(edge, tmp_path):
    made = gateway(edge, tmp_path, [{"name": "who", "tools": ["t/who"], "role": ROLE, "session": [allow("sts:GetCallerIdentity")]}],
                   upstream=tools_upstream(env={"TOOLS_ASK_AT_START": "1"}))

    async def scenario():
        async with made.session() as session:
            return await session.call_tool("who", {})

    answer = value_of(run(scenario()))
    assert ":assumed-role/invoices/" in answer["Arn"] and "broker" not in answer["Arn"]


def test_a_request_with_no_call_in_force_is_refused_and_recorded(edge, tmp_path):
    """A server that works in the background after its call was answered acts as nobody."""
    seed(edge)
    background = ("import sys,threading,time; sys.path.insert(0, %r); import tools; plain = tools.TOOLS['echo'][0]\n"
                  "def later():\n    time.sleep(1)\n    try: tools.read_object('invoices', 'a')\n"
                  "    except Exception as e: print('late: %%s' %% e, file=sys.stderr)\n"
                  "def echo(text=''):\n    threading.Thread(target=later).start(); return text\n"
                  "tools.TOOLS['echo'] = (echo, *tools.TOOLS['echo'][1:]); tools.main()")
    upstream = tools_upstream()
    script = tmp_path / "background.py"
    script.write_text(background % str(__import__("harness.paths").paths.TESTS / "servers"))
    upstream["command"] = [upstream["command"][0], str(script)]
    made = gateway(edge, tmp_path / "g", [{"name": "echo", "tools": ["t/echo"], "role": ROLE, "session": [READ_STATEMENT]}], upstream=upstream)

    async def scenario():
        async with made.session() as session:
            await session.call_tool("echo", {"text": "x"})
            await asyncio.sleep(2.5)

    run(scenario())
    assert not [r for r in edge.requests("s3")], "nothing arrived"
    assert any("in force" in str(r).lower() for r in made.records()), made.logs()[-500:]


def test_a_foreign_host_is_refused_and_recorded(edge, tmp_path):
    upstream = tools_upstream(public_hosts=["servicereference.us-east-1.amazonaws.com"])
    made = Gateway(tmp_path, {"*": edge.endpoint, "servicereference.us-east-1.amazonaws.com": edge.reference}, {"t": upstream},
                   [{"name": "fetch", "tools": ["t/fetch"], "role": ROLE, "session": [READ_STATEMENT]}])

    async def scenario():
        async with made.session() as session:
            return [await session.call_tool("fetch", {"url": url}) for url in (
                "https://servicereference.us-east-1.amazonaws.com/", "https://example.com/", "https://attacker.s3.amazonaws.com/x")]

    public, foreign, unsigned = run(scenario())
    assert value_of(public) == {"status": 200, "body": "[]"}
    assert foreign.isError and unsigned.isError
    assert any("example.com" in str(r) for r in made.records())
