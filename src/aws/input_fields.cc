#include "aws/input_fields.h"

#include <algorithm>
#include <array>

#include "base/encoding.h"

namespace remit::aws {
namespace {

enum Once : std::uint8_t {
  kHost,
  kContentType,
  kContentLength,
  kContentEncoding,
  kAuthorization,
  kSmithyProtocol,
  kNotOnce
};
constexpr std::array<std::string_view, kNotOnce> kOnce = {"host",           "content-type",
                                                          "content-length", "content-encoding",
                                                          "authorization",  "smithy-protocol"};

Once once_by_size(std::size_t size) {
  switch (size) {
    case 4:
      return kHost;
    case 12:
      return kContentType;
    case 13:
      return kAuthorization;
    case 14:
      return kContentLength;
    case 15:
      return kSmithyProtocol;
    case 16:
      return kContentEncoding;
    default:
      return kNotOnce;
  }
}

// No two of them have one length.
Once once(std::string_view name) {
  const Once candidate = once_by_size(name.size());
  const bool same = candidate != kNotOnce && equals_ignoring_ascii_case(kOnce[candidate], name);
  return same ? candidate : kNotOnce;
}

// Some readers take the method from these instead. No SDK writes them.
bool overrides_method(std::string_view name) {
  if (name.size() < 13 || (name[0] != 'x' && name[0] != 'X')) return false;
  return equals_ignoring_ascii_case(name, "x-http-method-override") ||
         equals_ignoring_ascii_case(name, "x-method-override") ||
         equals_ignoring_ascii_case(name, "x-http-method");
}

// x-amzn-…: input of some services, which no reader of ours looks for among the x-amz- ones.
bool begins_amzn(std::string_view name) {
  return name.size() > 7 && name[6] == '-' &&
         equals_ignoring_ascii_case(name.substr(0, 6), "x-amzn");
}

// Says which field is the first to have a second one.
std::unexpected<Error> written_twice(const http::Fields& fields) {
  std::string_view twice;
  for (std::size_t i = 0; i < fields.size() && twice.empty(); ++i) {
    const std::string_view name = fields[i].name;
    if (!begins_amz(name) && !begins_amzn(name) && once(name) == kNotOnce) continue;
    for (std::size_t j = i + 1; j < fields.size(); ++j)
      if (equals_ignoring_ascii_case(fields[j].name, name)) twice = name;
  }
  return fail(ErrorCode::InvalidInput, "the header " + lower_ascii(twice) + " is written twice");
}

}  // namespace

const http::Field* find(const InputFields& fields, std::string_view name) {
  if (!begins_amz(name)) return http::find(*fields.all, name);
  for (const http::Field* field : fields.amz)
    if (equals_ignoring_ascii_case(field->name, name)) return field;
  return nullptr;
}

Result<void> read_fields(const http::Fields& fields, InputFields& into) {
  into.all = &fields;
  unsigned seen = 0;
  for (const http::Field& field : fields) {
    if (begins_amz(field.name)) {
      if (find(into, field.name) != nullptr) return written_twice(fields);
      into.amz.push_back(&field);
      constexpr std::string_view kTarget = "x-amz-target";
      if (equals_ignoring_ascii_case(field.name, kTarget)) into.amz_target = field.value;
      continue;
    }
    const Once which = once(field.name);
    if (which == kNotOnce) {
      if (begins_amzn(field.name) && http::count(fields, field.name) > 1)
        return written_twice(fields);
      if (overrides_method(field.name))
        return fail(ErrorCode::InvalidInput,
                    "the header " + lower_ascii(field.name) + " names another method");
      continue;
    }
    if ((seen >> which & 1U) != 0) return written_twice(fields);
    seen |= 1U << which;
    if (which == kContentType) into.content_type = field.value;
    if (which == kContentEncoding) into.content_encoding = field.value;
    if (which == kSmithyProtocol) into.smithy_protocol = field.value;
  }
  return {};
}

}  // namespace remit::aws
