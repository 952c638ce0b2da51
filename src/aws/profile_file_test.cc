#include "aws/profile_file.h"

namespace remit::aws {
namespace {

std::string reason(std::string_view text) {
  const auto file = ProfileFile::parse(text, "config");
  return file ? "" : file.error().message;
}

TEST(ProfileFile, ReadsSectionsSettingsAndComments) {
  const auto file = ProfileFile::parse(
      "# a comment\n; another\n\n[default]\r\nregion = us-east-1\r\n\n[profile  agents] # here\n"
      "Role_Arn=arn:aws:iam::1:role/a ; there\ns3 =\n  addressing_style = path\nempty =\n"
      "external_id = a#b;c\n[sso-session \"x y\"]\na = b = c\n",
      "config");
  ASSERT_TRUE(file) << file.error().message;
  ASSERT_NE(file->find("default"), nullptr);
  EXPECT_EQ(file->find("default")->at("region").value, "us-east-1");
  EXPECT_EQ(file->find("default")->at("region").where, "config:5");
  const auto& agents = *file->find("profile agents");
  EXPECT_EQ(agents.at("role_arn").value, "arn:aws:iam::1:role/a");
  EXPECT_EQ(agents.at("external_id").value, "a#b;c");
  EXPECT_EQ(agents.at("empty").value, "");
  EXPECT_EQ(agents.count("addressing_style"), 0u);
  EXPECT_EQ(file->find("sso-session x y")->at("a").value, "b = c");
}

TEST(ProfileFile, NamesFileAndLineOfWhatItCannotRead) {
  const struct {
    const char* text;
    const char* reason;
  } cases[] = {{"a = b\n", "config:1: a setting before"},
               {"[a]\nnonsense\n", "config:2: neither"},
               {"[a\n", "config:1: the section's bracket"},
               {"[]\n", "config:1: the section has no name"},
               {"[a] b\n", "config:1: something follows"},
               {"[a]\nx = 1\n[b]\n[a]\n", "config:4: the section [a] is there twice"},
               {"[a]\nx = 1\nX = 2\n", "config:3: \"x\" is there twice, first at config:2"},
               {"[a]\n= 1\n", "config:2: the setting has no key"},
               {"[a]\nx y = 1\n", "config:2: the setting has no key"},
               {"[a]\n  x = 1\n", "config:2: an indented line"},
               {"[a]\nx = \x01\n", "config:2: a control character"}};
  for (const auto& [text, wanted] : cases) {
    EXPECT_EQ(reason(text).find(wanted), 0u) << reason(text) << " for " << text;
  }
}

TEST(ProfileFile, KeepsItsValuesWhenMoved) {
  auto file = ProfileFile::parse("[a]\nx = y\n", "config");
  const ProfileFile moved = *std::move(file);
  EXPECT_EQ(moved.find("a")->at("x").value, "y");
}

TEST(ProfileFiles, LetTheCredentialsFileWin) {
  ProfileFiles files;
  files.config = *ProfileFile::parse(
      "[default]\nregion = a\n[profile p]\naws_access_key_id = 1\nregion = r\n", "config");
  files.credentials = *ProfileFile::parse("[p]\naws_access_key_id = 2\n", "credentials");
  const auto p = files.profile("p");
  ASSERT_TRUE(p);
  EXPECT_EQ(p->find("aws_access_key_id")->value, "2");
  EXPECT_EQ(p->find("aws_access_key_id")->where, "credentials:2");
  EXPECT_EQ(p->find("region")->value, "r");
  EXPECT_TRUE(files.profile("default"));
  EXPECT_FALSE(files.profile("q"));
  EXPECT_EQ(files.names(), "default, p, p");
}

TEST(SplitCommand, SplitsAsAShellDoesAndExpandsNothing) {
  using Words = std::vector<std::string>;
  const struct {
    const char* command;
    Words words;
  } cases[] = {{"a b  c", {"a", "b", "c"}},
               {"\"/usr/lib/my tool\" --x 'a b'", {"/usr/lib/my tool", "--x", "a b"}},
               {"a\\ b", {"a b"}},
               {"a '' \"\"", {"a", "", ""}},
               {"a \"b\\\"c\\d\" 'e\\f'", {"a", "b\"c\\d", "e\\f"}},
               {"a $HOME `b` $(c) | d > e", {"a", "$HOME", "`b`", "$(c)", "|", "d", ">", "e"}},
               {"pre\"fix\"ed", {"prefixed"}}};
  for (const auto& [command, words] : cases) {
    const auto split = split_command(command);
    ASSERT_TRUE(split) << command;
    EXPECT_EQ(*split, words) << command;
  }
  for (const char* command : {"", "  ", "a 'b", "a \"b", "a \\"}) {
    EXPECT_FALSE(split_command(command)) << command;
  }
}

}  // namespace
}  // namespace remit::aws
