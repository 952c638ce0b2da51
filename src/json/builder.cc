#include "json/builder.h"

#include <fmt/format.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <limits>

namespace remit::json::detail {
namespace {

// RapidJSON's stream concept over bytes that need no terminator. A NUL byte inside the text looks to
// the reader like the end; build() compares where it stopped with where the text ends.
struct TextStream {
  using Ch = char;
  const char* begin;
  const char* at;
  const char* end;

  Ch Peek() const { return at == end ? '\0' : *at; }
  Ch Take() { return at == end ? '\0' : *at++; }
  std::size_t Tell() const { return static_cast<std::size_t>(at - begin); }
  // The writing half of the concept: only in-place parsing uses it.
  Ch* PutBegin() { return nullptr; }
  void Put(Ch) {}
  void Flush() {}
  std::size_t PutEnd(Ch*) { return 0; }
};

std::string describe_byte(std::string_view text, std::size_t offset) {
  if (offset >= text.size()) return "the end of the text";
  const auto c = static_cast<unsigned char>(text[offset]);
  if (c > 0x20 && c < 0x7F) return fmt::format("'{}'", text[offset]);
  return fmt::format("byte 0x{:02x}", c);
}

std::string describe(rapidjson::ParseErrorCode code, std::string_view text, std::size_t offset) {
  const auto wanted = [&](std::string_view what) {
    return fmt::format("expected {} but found {}", what, describe_byte(text, offset));
  };
  switch (code) {
    case rapidjson::kParseErrorDocumentEmpty: return "the text is empty: expected a JSON value";
    case rapidjson::kParseErrorDocumentRootNotSingular:
      return fmt::format("{} follows the value: one JSON value must be all there is",
                         describe_byte(text, offset));
    case rapidjson::kParseErrorValueInvalid: return wanted("a value");
    case rapidjson::kParseErrorObjectMissName: return wanted("a key in double quotes");
    case rapidjson::kParseErrorObjectMissColon: return wanted("':' after the key");
    case rapidjson::kParseErrorObjectMissCommaOrCurlyBracket: return wanted("',' or '}'");
    case rapidjson::kParseErrorArrayMissCommaOrSquareBracket: return wanted("',' or ']'");
    case rapidjson::kParseErrorStringUnicodeEscapeInvalidHex:
      return "\\u must be followed by four hexadecimal digits";
    case rapidjson::kParseErrorStringUnicodeSurrogateInvalid:
      return "a surrogate stands alone: \\uD800 to \\uDBFF must be followed by \\uDC00 to \\uDFFF";
    case rapidjson::kParseErrorStringEscapeInvalid:
      return "unknown escape: expected one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u";
    case rapidjson::kParseErrorStringMissQuotationMark: return "the string has no closing quote";
    case rapidjson::kParseErrorStringInvalidEncoding:
      return "the string holds invalid UTF-8 or a control character that is not escaped";
    case rapidjson::kParseErrorNumberTooBig: return "the number is beyond the range of a double";
    case rapidjson::kParseErrorNumberMissFraction: return wanted("a digit after the point");
    case rapidjson::kParseErrorNumberMissExponent: return wanted("a digit in the exponent");
    case rapidjson::kParseErrorNone:
    case rapidjson::kParseErrorTermination:
    case rapidjson::kParseErrorUnspecificSyntaxError: break;
  }
  return wanted("JSON");
}

bool has_surrogate(std::string_view decoded) {
  for (std::size_t i = decoded.find('\xED'); i != decoded.npos; i = decoded.find('\xED', i + 1)) {
    if (i + 1 < decoded.size() && static_cast<unsigned char>(decoded[i + 1]) >= 0xA0) return true;
  }
  return false;
}

constexpr unsigned kFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag |
                            rapidjson::kParseNumbersAsStringsFlag;

}  // namespace

struct Builder::Reader {
  rapidjson::Reader reader;
};

std::string_view string_of(const Tree& tree, const Node& node) {
  if (node.flag) return std::string_view(tree.decoded).substr(node.decoded, node.size);
  return tree.text.substr(node.begin + 1, node.size);
}

// The reader's events. It tells no places: a token begins after the white space, commas and colons
// that follow the token before it, and the grammar has been checked up to there.
struct Builder::Handler {
  Builder& builder;
  Tree& tree;
  const TextStream& stream;
  std::size_t cursor = 0;  // one past the last token
  std::size_t values = 0;
  std::size_t error_offset = 0;
  std::string error{};

  bool refuse(std::size_t offset, std::string message) {
    error_offset = offset;
    error = std::move(message);
    return false;
  }

  std::uint32_t skip_to_token() {
    const char* p = stream.begin + cursor;
    while (*p == ' ' || *p == ',' || *p == ':' || *p == '\n' || *p == '\r' || *p == '\t') ++p;
    return static_cast<std::uint32_t>(p - stream.begin);
  }

  Node& add(Kind kind, std::uint32_t begin, std::size_t end) {
    cursor = end;
    Node& node = tree.nodes.emplace_back();
    node.begin = begin;
    node.end = static_cast<std::uint32_t>(end);
    node.next = static_cast<std::uint32_t>(tree.nodes.size());
    node.kind = kind;
    return node;
  }

  bool count(std::size_t offset) {
    if (++values <= builder.limits_.max_values) return true;
    return refuse(offset, fmt::format("more than {} values", builder.limits_.max_values));
  }

  bool literal(Kind kind, std::size_t length, bool flag) {
    const std::uint32_t begin = skip_to_token();
    add(kind, begin, begin + length).flag = flag;
    return count(begin);
  }

  bool add_string(const char* decoded, std::size_t length) {
    const std::uint32_t begin = skip_to_token();
    const std::size_t end = stream.Tell();
    Node& node = add(Kind::String, begin, end);
    node.size = static_cast<std::uint32_t>(length);
    // Every escape is longer than what it stands for, so equal lengths mean no escapes.
    if (length == end - begin - 2) return true;
    const std::string_view bytes(decoded, length);
    if (has_surrogate(bytes)) {
      return refuse(begin, "the string holds a lone surrogate (\\uDC00 to \\uDFFF without the half "
                           "that must stand before it)");
    }
    node.flag = true;
    node.decoded = static_cast<std::uint32_t>(tree.decoded.size());
    tree.decoded += bytes;
    return true;
  }

  bool open(Kind kind) {
    const std::uint32_t begin = skip_to_token();
    if (builder.open_.size() >= builder.limits_.max_depth) {
      return refuse(begin, fmt::format("more than {} arrays and objects inside each other",
                                       builder.limits_.max_depth));
    }
    builder.open_.push_back(static_cast<std::uint32_t>(tree.nodes.size()));
    add(kind, begin, begin + std::size_t{1});
    return count(begin);
  }

  bool close(std::size_t size) {
    const std::uint32_t index = builder.open_.back();
    builder.open_.pop_back();
    Node& node = tree.nodes[index];
    cursor = skip_to_token() + std::size_t{1};
    node.end = static_cast<std::uint32_t>(cursor);
    node.next = static_cast<std::uint32_t>(tree.nodes.size());
    node.size = static_cast<std::uint32_t>(size);
    return node.kind == Kind::Array || refuse_duplicates(index);
  }

  bool refuse_duplicates(std::uint32_t object) {
    constexpr std::uint32_t kFewKeys = 8;  // comparing each with each beats sorting up to here
    const Node& node = tree.nodes[object];
    if (node.size < 2) return true;
    auto& keys = builder.keys_;
    keys.clear();
    for (std::uint32_t i = object + 1; i < node.next; i = tree.nodes[i + 1].next) {
      const std::string_view key = string_of(tree, tree.nodes[i]);
      if (node.size <= kFewKeys) {
        for (const auto& [earlier, place] : keys) {
          if (earlier == key) return refuse_key(i);
        }
      }
      keys.emplace_back(key, i);
    }
    if (node.size <= kFewKeys) return true;
    std::ranges::sort(keys);
    std::uint32_t first_repeat = std::numeric_limits<std::uint32_t>::max();
    for (std::size_t i = 1; i < keys.size(); ++i) {
      if (keys[i].first == keys[i - 1].first) first_repeat = std::min(first_repeat, keys[i].second);
    }
    return first_repeat == std::numeric_limits<std::uint32_t>::max() || refuse_key(first_repeat);
  }

  bool refuse_key(std::uint32_t key) {
    const Node& node = tree.nodes[key];
    constexpr std::uint32_t kShown = 80;
    const std::uint32_t length = node.end - node.begin;
    return refuse(node.begin,
                  length > kShown
                      ? "a key stands twice in this object"
                      : fmt::format("the key {} stands twice in this object",
                                    tree.text.substr(node.begin, length)));
  }

  // RapidJSON's names.
  bool Null() { return literal(Kind::Null, 4, false); }
  bool Bool(bool value) { return literal(Kind::Bool, value ? 4 : 5, value); }
  bool RawNumber(const char*, rapidjson::SizeType, bool) {
    const std::uint32_t begin = skip_to_token();
    add(Kind::Number, begin, stream.Tell());
    return count(begin);
  }
  bool Int(int) { return false; }  // never called: numbers come as text
  bool Uint(unsigned) { return false; }
  bool Int64(std::int64_t) { return false; }
  bool Uint64(std::uint64_t) { return false; }
  bool Double(double) { return false; }
  bool String(const char* text, rapidjson::SizeType length, bool) {
    return add_string(text, length) && count(tree.nodes.back().begin);
  }
  bool Key(const char* text, rapidjson::SizeType length, bool) { return add_string(text, length); }
  bool StartObject() { return open(Kind::Object); }
  bool EndObject(rapidjson::SizeType members) { return close(members); }
  bool StartArray() { return open(Kind::Array); }
  bool EndArray(rapidjson::SizeType elements) { return close(elements); }
};

Builder::Builder(Limits limits) : limits_(limits), reader_(std::make_unique<Reader>()) {
  constexpr std::size_t kMostBytes = std::numeric_limits<std::uint32_t>::max();
  constexpr std::size_t kMostDepth = 1024;  // canonical() recurses
  limits_.max_bytes = std::min(limits_.max_bytes, kMostBytes);
  limits_.max_depth = std::min(limits_.max_depth, kMostDepth);
}

Builder::~Builder() = default;

std::expected<void, ParseError> Builder::build(std::string_view text, Tree& tree) {
  const auto refuse = [&](std::size_t offset, std::string message) {
    return std::unexpected(ParseError{position_in(text, offset), offset, std::move(message)});
  };
  tree.text = text;
  tree.nodes.clear();
  tree.decoded.clear();
  open_.clear();
  if (text.size() > limits_.max_bytes) {
    return refuse(0, fmt::format("the text has {} bytes: at most {} are read", text.size(),
                                 limits_.max_bytes));
  }
  if (text.starts_with("\xEF\xBB\xBF")) {
    return refuse(0, "a byte order mark stands before the value: JSON has none");
  }
  TextStream stream{text.data(), text.data(), text.data() + text.size()};
  Handler handler{*this, tree, stream};
  const auto result = reader_->reader.Parse<kFlags>(stream, handler);
  if (!handler.error.empty()) return refuse(handler.error_offset, std::move(handler.error));
  if (result.IsError()) {
    const std::size_t offset = std::min(result.Offset(), text.size());
    if (stream.at != stream.end && *stream.at == '\0') {
      return refuse(stream.Tell(), "a NUL byte stands in the text");
    }
    return refuse(offset, describe(result.Code(), text, offset));
  }
  if (stream.at != stream.end) return refuse(stream.Tell(), "a NUL byte stands after the value");
  return {};
}

}  // namespace remit::json::detail
