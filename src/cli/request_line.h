#pragma once

// One line of `remit identify --batch` (docs/identify.md). Errors name the line, the column, the
// field and what would be right.

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"
#include "json/json.h"
#include "net/http.h"

namespace remit::cli {

struct RequestLine {
  http::RequestHead head;
  std::string body, host, region, service;
};

// Reads lines one after the other.
class RequestLines {
 public:
  // `no_host`: as if every request came to the loopback endpoint.
  explicit RequestLines(bool no_host) : no_host_(no_host) {}

  // `id` becomes the line's, as it is written, also when the rest is wrong; empty: it has none.
  // No request: a blank line.
  Result<std::optional<RequestLine>> read(const std::string& text, std::string& id);

  // Fields that mean nothing here, and are no misspelling of one that does.
  const std::set<std::string>& passed_over() const { return passed_over_; }

 private:
  Result<RequestLine> fields_of(json::Value row);
  std::unexpected<Error> wrong(json::Value at, std::string_view field, std::string_view must) const;
  Result<std::string> text(json::Value row, std::string_view field) const;
  Result<> headers(json::Value row, http::Fields& into) const;
  Result<> body(json::Value row, RequestLine& line) const;
  Result<> scope(json::Value row, RequestLine& line) const;
  Result<> unknown_fields(json::Value row);

  bool no_host_;
  std::size_t line_ = 0;
  std::set<std::string> passed_over_;
};

}  // namespace remit::cli
