#pragma once

// What a bound argument may look like. A value is accepted as it is or refused with the reason; it
// is never trimmed, unquoted, lower-cased or cleaned in any other way.
//
// Whatever its grammar, a value is refused that is not valid UTF-8, is longer than 1,024 bytes, is
// empty, or contains `*`, `?`, `$`, `\` or a control character (also U+0080–U+009F, line and
// paragraph separators, and the invisible direction and format characters): the first three are
// wildcards and variables in a policy, and none of the rest is needed to name a thing.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace remit::rules {

enum class GrammarKind : std::uint8_t {
  Bucket,   // an S3 general purpose bucket name
  Key,      // an S3 object key or prefix: no empty, `.` or `..` segment, no leading `/`
  Name,     // [A-Za-z0-9][A-Za-z0-9_.@+=,-]{0,127}: a role, table, queue, function...
  Account,  // twelve digits
  Region,   // us-east-1, us-gov-west-1, ...
  Arn,      // a whole ARN without wildcards
  Number,   // 0 or a decimal integer up to 15 digits, no sign, no leading zero; a JSON number is
            // taken too
  Boolean,  // true or false; a JSON boolean is taken too
  Token,    // [A-Za-z0-9_-]{1,64}
  Pattern,  // an RE2 expression that the whole value must match
  Values,   // one of a list
};

class Grammar {
 public:
  Grammar();  // Token
  static Result<Grammar> named(std::string_view name);
  // At most 512 bytes of expression; compiled within 1 MiB.
  static Result<Grammar> pattern(std::string_view expression);
  // 1 to 1,000 values, each acceptable by itself.
  static Result<Grammar> values(std::vector<std::string> list);

  GrammarKind kind() const { return kind_; }
  // Ok, or why not; the message shows the value only where it is printable and short.
  Result<> accepts(std::string_view value) const;
  // A value that the grammar accepts where one can be told without search; for trying a template
  // out. A pattern has none it can be sure of: "sample".
  std::string sample() const;
  std::string describe() const;  // "bucket", "pattern [a-z]+", "one of: a, b"
  const std::vector<std::string>& list() const { return list_; }

 private:
  struct Expression;
  GrammarKind kind_;
  std::string text_;
  std::vector<std::string> list_;
  std::shared_ptr<const Expression> expression_;
};

// The part that every grammar shares (see above).
Result<> refuse_unsafe_text(std::string_view value);

}  // namespace remit::rules
