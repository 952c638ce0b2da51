#include "aws/profile_file.h"

#include <algorithm>
#include <utility>

#include "base/encoding.h"

namespace remit::aws {

namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }

// A '#' or ';' after a blank starts a comment.
std::string_view without_comment(std::string_view text) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    if ((text[i] == '#' || text[i] == ';') && is_blank(text[i - 1])) return text.substr(0, i);
  }
  return text;
}

// "profile  agents" and "profile agents" are one section.
std::string section_name(std::string_view inside) {
  inside = trim_ascii(inside);
  const auto blank = inside.find_first_of(" \t");
  if (blank == inside.npos) return std::string(inside);
  std::string_view second = trim_ascii(inside.substr(blank));
  if (second.size() > 1 && second.front() == second.back() &&
      (second.front() == '"' || second.front() == '\'')) {
    second = second.substr(1, second.size() - 2);
  }
  return std::string(inside.substr(0, blank)) + " " + std::string(second);
}

class Reader {
 public:
  Reader(std::string_view file, std::map<std::string, ProfileFile::Section, std::less<>>& sections)
      : file_(file), sections_(sections) {}

  Result<> read(std::string_view text) {
    while (!text.empty()) {
      const std::string_view line = text.substr(0, text.find('\n'));
      text.remove_prefix(std::min(line.size() + 1, text.size()));
      ++line_;
      REMIT_CHECKED(read_line(line.ends_with('\r') ? line.substr(0, line.size() - 1) : line));
    }
    return {};
  }

 private:
  std::string where() const { return std::string(file_) + ":" + std::to_string(line_); }
  std::unexpected<Error> refuse(std::string_view reason) const {
    return fail(ErrorCode::InvalidInput, where() + ": " + std::string(reason));
  }

  Result<> read_line(std::string_view line) {
    const bool control = std::ranges::any_of(line, [](char c) {
      return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F;
    });
    if (control) return refuse("a control character");
    const std::string_view text = trim_ascii(line);
    if (text.empty() || text.front() == '#' || text.front() == ';') return {};
    if (is_blank(line.front())) {
      if (!has_setting_) return refuse("an indented line that belongs to no setting");
      return {};
    }
    return text.front() == '[' ? read_section(text) : read_setting(text);
  }

  Result<> read_section(std::string_view text) {
    const auto close = text.find(']');
    if (close == text.npos) return refuse("the section's bracket is not closed");
    const std::string_view rest = trim_ascii(text.substr(close + 1));
    if (!rest.empty() && rest.front() != '#' && rest.front() != ';') {
      return refuse("something follows the section's name");
    }
    std::string name = section_name(text.substr(1, close - 1));
    if (name.empty()) return refuse("the section has no name");
    const auto [section, added] = sections_.try_emplace(std::move(name));
    if (!added) return refuse("the section [" + section->first + "] is there twice");
    section_ = &section->second;
    has_setting_ = false;
    return {};
  }

  Result<> read_setting(std::string_view text) {
    if (section_ == nullptr) return refuse("a setting before the first section");
    const auto equals = text.find('=');
    if (equals == text.npos) return refuse("neither a [section] nor a `key = value`");
    std::string key = lower_ascii(trim_ascii(text.substr(0, equals)));
    const bool good = !key.empty() && std::ranges::none_of(key, is_blank);
    if (!good) return refuse("the setting has no key, or one with blanks");
    const std::string_view value = trim_ascii(without_comment(text.substr(equals + 1)));
    const auto [setting, added] = section_->try_emplace(std::move(key), Setting{value, where()});
    if (!added) {
      return refuse("\"" + setting->first + "\" is there twice, first at " + setting->second.where);
    }
    has_setting_ = true;
    return {};
  }

  std::string_view file_;
  std::map<std::string, ProfileFile::Section, std::less<>>& sections_;
  ProfileFile::Section* section_ = nullptr;
  std::size_t line_ = 0;
  bool has_setting_ = false;
};

}  // namespace

Result<ProfileFile> ProfileFile::parse(std::string_view text, std::string_view name) {
  ProfileFile file;
  file.name_ = name;
  file.bytes_ = Secret(text);  // its bytes stay where they are when the file is moved
  REMIT_CHECKED(Reader(file.name_, file.sections_).read(file.bytes_.expose()));
  return file;
}

const ProfileFile::Section* ProfileFile::find(std::string_view section) const {
  const auto found = sections_.find(section);
  return found == sections_.end() ? nullptr : &found->second;
}

std::vector<std::string> ProfileFile::sections() const {
  std::vector<std::string> names;
  names.reserve(sections_.size());
  for (const auto& [name, section] : sections_) names.push_back(name);
  return names;
}

const Setting* Profile::find(std::string_view key) const {
  const auto found = settings.find(key);
  return found == settings.end() ? nullptr : &found->second;
}

std::optional<Profile> ProfileFiles::profile(std::string_view name) const {
  Profile profile;
  profile.name = name;
  bool found = false;
  const auto merge = [&](const ProfileFile::Section* section) {
    if (section == nullptr) return;
    found = true;
    for (const auto& [key, setting] : *section) profile.settings.try_emplace(key, setting);
  };
  if (credentials) merge(credentials->find(name));
  if (config) {
    const ProfileFile::Section* section = config->find("profile " + std::string(name));
    if (section == nullptr && name == "default") section = config->find("default");
    merge(section);
  }
  if (!found) return std::nullopt;
  return profile;
}

std::string ProfileFiles::names() const {
  std::string names;
  const auto add = [&names](std::string_view name) {
    names.append(names.empty() ? "" : ", ").append(name);
  };
  if (config) {
    for (const std::string& section : config->sections()) {
      if (section == "default") add(section);
      if (section.starts_with("profile ")) add(std::string_view(section).substr(8));
    }
  }
  if (credentials) {
    for (const std::string& section : credentials->sections()) add(section);
  }
  return names;
}

Result<std::vector<std::string>> split_command(std::string_view command) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = 0;
  for (std::size_t i = 0; i < command.size(); ++i) {
    const char c = command[i];
    if (c == '\\' && quote != '\'') {
      if (++i == command.size()) return fail(ErrorCode::InvalidInput, "a backslash at the end");
      // Between double quotes a backslash stands for itself but before these.
      if (quote == '"' && std::string_view("\"\\$`").find(command[i]) == std::string_view::npos) {
        word.push_back('\\');
      }
      word.push_back(command[i]);
      in_word = true;
    } else if (quote != 0) {
      if (c == quote) {
        quote = 0;
      } else {
        word.push_back(c);
      }
    } else if (c == '"' || c == '\'') {
      quote = c;
      in_word = true;
    } else if (is_blank(c)) {
      if (in_word) words.push_back(std::exchange(word, {}));
      in_word = false;
    } else {
      word.push_back(c);
      in_word = true;
    }
  }
  if (quote != 0) return fail(ErrorCode::InvalidInput, "a quote is not closed");
  if (in_word) words.push_back(std::move(word));
  if (words.empty()) return fail(ErrorCode::InvalidInput, "no command");
  return words;
}

}  // namespace remit::aws
