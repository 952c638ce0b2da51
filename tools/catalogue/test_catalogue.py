"""Tests of the generator: python3 tools/catalogue/test_catalogue.py (standard library only)."""

import pathlib
import struct
import sys
import types
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

from remit_catalogue import bind, build, endpoints, hosts, iam, layout, models  # noqa: E402


def member(name, kind=0, required=True, location=models.BODY):
    return models.Member(name, name, location, kind, required)


def operation(*members, name="DoIt", method="POST", uri="/"):
    return models.Operation(name, method, uri, "", 0, list(members))


class Strings(unittest.TestCase):
    def test_share_their_ends(self):
        strings = layout.Strings()
        for text in ("s3:GetObject", "GetObject", "Object", "Other"):
            strings.want(text)
        pool = strings.lay_out()
        self.assertEqual(len(pool), len("s3:GetObject") + len("Other"))
        for text in ("s3:GetObject", "GetObject", "Object", "Other", ""):
            ref = strings.ref(text)
            self.assertEqual(pool[ref >> 10:(ref >> 10) + (ref & 1023)].decode(), text)

    def test_refuse_what_does_not_fit(self):
        with self.assertRaises(ValueError):
            layout.Strings().want("x" * 1024)


class Slots(unittest.TestCase):
    def test_find_every_key(self):
        entries = {f"key{i}": (i, 1) for i in range(100)}
        slots = layout.hash_slots(entries)
        self.assertGreaterEqual(len(slots), 200)
        for key, value in entries.items():
            at = layout.fnv1a(key.encode()) & (len(slots) - 1)
            while slots[at][0] != key:
                at = (at + 1) & (len(slots) - 1)
            self.assertEqual(slots[at][1:], value)


class Binding(unittest.TestCase):
    TABLE = {"table": {"key": "table", "arn":
                       "arn:${Partition}:dynamodb:${Region}:${Account}:table/${TableName}"}}
    ONE = {"resourceTypes": [{"name": "table", "required": True}]}

    def recipe(self, *members):
        return bind.recipes(operation(*members), self.ONE, self.TABLE)[0]

    def test_the_variables_of_a_template(self):
        self.assertEqual(bind.variables(self.TABLE["table"]["arn"]), ["TableName"])
        self.assertEqual(bind.variables("arn:${Partition}:s3:::${BucketName}/${ObjectName}"),
                         ["BucketName", "ObjectName"])

    def test_names_that_say_the_same(self):
        for name in ("TableName", "tableName", "TableId", "table"):
            self.assertEqual(self.recipe(member(name)).bindings, [name])

    def test_a_list_of_names(self):
        self.assertEqual(self.recipe(member("TableNames", kind=4)).bindings, ["TableNames"])

    def test_the_name_of_what_the_operation_is_about(self):
        self.assertEqual(self.of("DeleteTable", member("Name")).bindings, ["Name"])
        for name, *members in [("DeleteTableIndex", member("Id")), ("DeleteTable", member("Identifier")),
                               ("DeleteTable", member("Id")), ("DeleteBackup", member("TableArn"), member("Name"))]:
            self.assertEqual(self.of(name, *members).bindings, [None])

    def test_what_the_reviewed_table_says(self):
        def bound(rows, *members):
            return self.of("PutIt", *members, bound=rows)
        self.assertEqual(bound({"TableName": "Thing"}, member("Thing")).bindings, ["Thing"])
        self.assertEqual(bound({"TableName": ["A", "B"]}, member("B")).bindings, ["B"])
        self.assertEqual(bound({"TableName": "-"}, member("TableName")).bindings, [None])
        self.assertEqual(bound({"PutIt.TableName": "*"}).bindings, [bind.ANY])
        # By itself, that AWS chooses a part says nothing.
        self.assertEqual(bound({"TableName": "*"}).bindings, [None])
        self.assertEqual(bound({"OtherIt.TableName": "Thing"}, member("Thing")).bindings, [None])
        self.assertEqual(bound({"arn": "Thing"}, member("Thing")).arn_member, "Thing")
        self.assertTrue(bound({"one_of": ["PutIt"]}, member("Thing")).one_of)

    def of(self, name, *members, bound=None):
        made = operation(*members, name=name)
        made.bound = bound or {}
        two = {"resourceTypes": self.ONE["resourceTypes"] + [{"name": "none", "required": False}]}
        found = bind.recipes(made, two if bound is None else self.ONE, self.TABLE)
        return found[0] if found else bind.Recipe("table", True, None, [None])

    def test_a_doubt_binds_nothing(self):
        self.assertEqual(self.recipe(member("Database")).bindings, [None])
        self.assertEqual(self.recipe(member("TableId"), member("TableIdentifier")).bindings, [None])

    def test_an_arn(self):
        self.assertEqual(self.recipe(member("TableArn")).arn_member, "TableArn")
        self.assertEqual(self.recipe(member("ResourceArn")).arn_member, "ResourceArn")
        self.assertIsNone(self.recipe(member("RoleArn")).arn_member)
        self.assertIsNone(self.recipe(member("KmsKeyArn")).arn_member)


class Hosts(unittest.TestCase):
    PARTITIONS = [{"outputs": {"dnsSuffix": "amazonaws.com", "dualStackDnsSuffix": "api.aws",
                               "implicitGlobalRegion": "us-east-1"}, "regions": {"us-east-1": {}}}]

    def service(self, *urls):
        rules = [{"rules": [{"endpoint": {"url": u}} for u in urls]}]
        return types.SimpleNamespace(all_rules=rules, endpoint_prefix="x")

    def test_templates(self):
        service = self.service("https://{AccountId}.ddb.{Region}.{PartitionResult#dnsSuffix}",
                               "https://iam.amazonaws.com", "http://localhost:8000",
                               "https://{Region}.signin.aws", "https://x.us-east-1.api.aws")
        self.assertEqual(hosts.templates(service, self.PARTITIONS),
                         ["!{r}.signin.aws", "iam", "x.{r}", "{*}.ddb.{r}"])

    RULES = {
        "parameters": {"UseFIPS": {"default": False}, "Region": {}, "Kind": {}},
        "rules": [
            {"conditions": [{"fn": "booleanEquals", "argv": [{"ref": "UseFIPS"}, True]}],
             "type": "error", "error": "no"},
            {"conditions": [{"fn": "stringEquals", "argv": [{"ref": "Kind"}, "data"]}],
             "type": "endpoint", "endpoint": {"url": "https://data.{Region}.on.aws"}},
            {"conditions": [{"fn": "stringEquals", "argv": [{"ref": "Region"}, "us-east-1"]}],
             "type": "endpoint", "endpoint": {"url": "https://q.amazonaws.com"}},
            {"conditions": [{"fn": "stringEquals", "argv": [{"ref": "Region"}, "us-iso-a-1"]}],
             "type": "endpoint", "endpoint": {"url": "https://q.us-iso-a-1.api.aws"}},
            {"conditions": [{"fn": "stringEquals", "argv": [{"ref": "Kind"}, "global"]}],
             "type": "endpoint", "endpoint": {"url": "https://g.us-west-2.amazonaws.com", "properties": {
                 "authSchemes": [{"name": "sigv4", "signingRegion": "us-west-2"}]}}},
            {"conditions": [{"fn": "aws.partition", "argv": [{"ref": "Region"}], "assign": "P"}],
             "type": "endpoint", "endpoint": {"url": "https://q.{Region}.{P#dnsSuffix}"}}]}

    def defaults(self, *regions, **given):
        def partition(suffix, shape):
            return {"outputs": {"dnsSuffix": suffix, "dualStackDnsSuffix": "api." + suffix}, "regionRegex": shape,
                    "regions": {r: {} for r in regions}}
        partitions = [partition("amazonaws.com", r"^(us|eu)-\w+-\d$"), partition("ic.gov", r"^us-iso-\w+-\d$")]
        partitions[0]["outputs"]["dualStackDnsSuffix"] = "api.aws"
        for p in partitions:
            p["regions"] = {r: {} for r in endpoints.regions(p)}
        return endpoints.defaults(types.SimpleNamespace(rules=self.RULES), partitions, given)

    def test_an_endpoint_of_the_rules(self):
        self.assertEqual(self.defaults("eu-west-1", "eu-west-2", "aws-global", "us-iso-b-1", "us-iso-c-1"),
                         [("q.{r}.amazonaws.com", ""), ("q.{r}.ic.gov", "")])

    def test_a_region_with_a_host_of_its_own(self):
        self.assertEqual(self.defaults("eu-west-1", "eu-west-2", "us-east-1")[0],
                         ("q.{r}.amazonaws.com|us-east-1=q.amazonaws.com", ""))

    def test_what_the_model_tells_of_an_operation(self):
        self.assertEqual(self.defaults("eu-west-1", Kind="data")[0], ("data.{r}.on.aws", ""))
        self.assertEqual(self.defaults("eu-west-1", "us-west-2", Kind="global")[0],
                         ("g.us-west-2.amazonaws.com", "us-west-2"))

    def test_a_host_of_another_partition_is_none(self):
        self.assertEqual(self.defaults("us-iso-a-1")[1], ("", ""))

    def test_a_parameter_that_must_be_there(self):
        rules = dict(self.RULES, parameters=dict(self.RULES["parameters"], Must={"required": True}))
        partitions = [{"outputs": {"dnsSuffix": "amazonaws.com", "dualStackDnsSuffix": "api.aws"},
                       "regionRegex": r"^eu-\w+-\d$", "regions": {"eu-west-1": {}}}]
        service = types.SimpleNamespace(rules=rules)
        self.assertEqual(endpoints.defaults(service, partitions, {}), [("", "")])
        self.assertEqual(endpoints.defaults(service, partitions, {"Must": "x"}), [("q.{r}.amazonaws.com", "")])


class Exceptions(unittest.TestCase):
    def test_each_names_its_source(self):
        iam.Exceptions()
        with self.assertRaises(SystemExit):
            iam.Exceptions('[service.s3]\n[service.s3.actions]\nX = ["Y"]\n')

    def test_leftovers_are_told(self):
        given = iam.Exceptions('[prefixes]\ngone = "x"\n[service.a]\nsource = "https://a"\n'
                               '[service.a.actions]\nNo = ["Yes"]\n')
        services = {"a": types.SimpleNamespace(operations={"Real": 1})}
        self.assertEqual(given.unused(services), ["prefixes.gone", "service.a: No"])

    def test_the_gravest_level_counts(self):
        self.assertEqual(iam.level("Permissions management, Write"), 5)
        self.assertEqual(iam.level("List"), 1)
        self.assertEqual(iam.level(None), 0)


class KeyPatterns(unittest.TestCase):
    def test_variables_become_stars(self):
        self.assertEqual(build.key_pattern("aws:ResourceTag/${TagKey}"), "aws:ResourceTag/*")
        self.assertEqual(build.key_pattern("s3:ExistingObjectTag/<key>"), "s3:ExistingObjectTag/*")


class CheckedIn(unittest.TestCase):
    def test_the_header_is_sound(self):
        data = (HERE.parent.parent / "data" / "catalogue.bin").read_bytes()
        self.assertEqual(data[:8], layout.MAGIC)
        self.assertEqual(struct.unpack_from("<II", data, 8), (layout.VERSION, len(data)))


class Models(unittest.TestCase):
    @staticmethod
    def hands_out(*members):
        shapes = {"Text": {"type": "string"},
                  "Answer": {"type": "structure", "members": {m: {"shape": "Text"} for m in members}}}
        return models._secret_output(shapes, "Answer", set())

    def test_a_secret_key_is_a_credential_beside_an_access_keys_id(self):
        self.assertTrue(self.hands_out("SecretAccessKey"))
        self.assertTrue(self.hands_out("AccessKeyId", "SecretKey"))
        self.assertFalse(self.hands_out("secretId", "secretKey"))

    def test_a_role_is_told_by_its_members_name(self):
        for name in ("role", "rolearn", "serviceroleoverride", "rolearnupdate", "rolearnforlogging",
                     "iaminstanceprofile", "iamrolefordatasourcearn"):
            self.assertTrue(models._says_role(name), name)
        for name in ("rolesessionname", "roletype", "principalarn"):
            self.assertFalse(models._says_role(name), name)


if __name__ == "__main__":
    unittest.main()
