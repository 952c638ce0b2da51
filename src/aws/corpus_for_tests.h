#pragma once

// The SigV4 vectors of the corpora, for tests. A corpus that is not there is a skipped test.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "aws/sigv4.h"
#include "json/json.h"
#include "net/http.h"

namespace remit::aws::corpus {

inline std::filesystem::path root() {
  const char* named = std::getenv("REMIT_CORPORA");
  return named != nullptr ? std::filesystem::path(named)
                          : std::filesystem::path(REMIT_SOURCE_DIR) / ".." / "shared" / "corpora";
}

inline std::filesystem::path sigv4() { return root() / "sigv4"; }

// Without carriage returns: the corpus mixes both line endings.
inline std::string read(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  std::erase(text, '\r');
  return text;
}

// The request of a vector file: raw blanks in the target, folded fields, body.
inline http::RequestHead parse_request(std::string_view text, std::string* body = nullptr) {
  http::RequestHead head;
  const auto line_end = text.find('\n');
  const std::string_view line = text.substr(0, line_end);
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  head.method = line.substr(0, first);
  head.target = line.substr(first + 1, last - first - 1);
  text = line_end == text.npos ? "" : text.substr(line_end + 1);
  while (!text.empty() && text.front() != '\n') {
    const std::string_view field = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(field.size() + 1, text.size()));
    if (field.front() == ' ') {
      head.fields.back().value.append(" ").append(field);
      continue;
    }
    const auto colon = field.find(':');
    const auto begin = field.find_first_not_of(' ', colon + 1);
    head.fields.push_back({std::string(field.substr(0, colon)),
                           begin == field.npos ? "" : std::string(field.substr(begin))});
  }
  if (body != nullptr) *body = text.empty() ? "" : std::string(text.substr(1));
  return head;
}

}  // namespace remit::aws::corpus
