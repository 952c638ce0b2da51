// RFC 8949, as far as rpc-v2-cbor uses it:
// https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <string>
#include <vector>

#include "aws/wire.h"

namespace remit::aws {
namespace {

constexpr std::size_t kMaxDepth = 64;
constexpr std::size_t kMaxNodes = 1'000'000;

class CborReader {
 public:
  CborReader(std::string_view bytes, WireBuilder& builder) : bytes_(bytes), builder_(builder) {}

  Result<void> run() {
    if (bytes_.empty()) return {};
    if (major(static_cast<unsigned char>(bytes_[0])) != 5) return refuse("is not a map");
    REMIT_CHECKED(value({}, 0));
    if (at_ != bytes_.size()) return refuse("goes on after its value");
    return {};
  }

 private:
  struct Head {
    int major = 0;
    int info = 0;
    std::uint64_t argument = 0;
  };

  static int major(unsigned char byte) { return byte >> 5; }
  static std::unexpected<Error> refuse(std::string reason) {
    return fail(ErrorCode::InvalidInput, "the body's CBOR " + std::move(reason));
  }

  Result<Head> head() {
    if (at_ >= bytes_.size()) return refuse("ends too early");
    const auto byte = static_cast<unsigned char>(bytes_[at_++]);
    Head head{major(byte), byte & 31, 0};
    if (head.info < 24) {
      head.argument = static_cast<std::uint64_t>(head.info);
    } else if (head.info < 28) {
      const std::size_t size = std::size_t{1} << (head.info - 24);
      if (bytes_.size() - at_ < size) return refuse("ends too early");
      for (std::size_t i = 0; i < size; ++i)
        head.argument = head.argument << 8 | static_cast<unsigned char>(bytes_[at_++]);
    } else if (head.info != 31) {
      return refuse("uses a reserved length");
    }
    return head;
  }

  bool at_break() const {
    return at_ < bytes_.size() && static_cast<unsigned char>(bytes_[at_]) == 0xFF;
  }

  // A byte or text string, in one piece or in definite chunks of its own kind.
  Result<std::string_view> string(const Head& head) {
    if (head.info != 31) {
      if (bytes_.size() - at_ < head.argument) return refuse("ends too early");
      const std::string_view text = bytes_.substr(at_, head.argument);
      at_ += head.argument;
      return text;
    }
    std::string joined;
    while (!at_break()) {
      REMIT_TRY(const Head chunk, this->head());
      if (chunk.major != head.major || chunk.info == 31) return refuse("has a bad string chunk");
      REMIT_TRY(const std::string_view piece, string(chunk));
      joined += piece;
    }
    ++at_;
    return builder_.keep(std::move(joined));
  }

  Result<void> array(const Head& head, std::string_view name, std::size_t depth) {
    const Wire::Ref node = builder_.open(Wire::Kind::Array, name);
    for (std::uint64_t i = 0; head.info == 31 ? !at_break() : i < head.argument; ++i)
      REMIT_CHECKED(value({}, depth + 1));
    if (head.info == 31) ++at_;
    builder_.close(node);
    return {};
  }

  Result<void> map(const Head& head, std::string_view name, std::size_t depth) {
    const Wire::Ref node = builder_.open(Wire::Kind::Object, name);
    std::vector<std::string_view> keys;
    for (std::uint64_t i = 0; head.info == 31 ? !at_break() : i < head.argument; ++i) {
      REMIT_TRY(const Head key_head, this->head());
      if (key_head.major != 3) return refuse("has a key that is not text");
      REMIT_TRY(const std::string_view key, string(key_head));
      keys.push_back(key);
      REMIT_CHECKED(value(key, depth + 1));
    }
    if (head.info == 31) ++at_;
    std::ranges::sort(keys);
    if (const auto twice = std::ranges::adjacent_find(keys); twice != keys.end())
      return refuse("has a key twice: " + std::string(*twice));
    builder_.close(node);
    return {};
  }

  void number(std::string_view name, std::string text) {
    builder_.scalar(Wire::Kind::Number, name, builder_.keep(std::move(text)));
  }

  Result<void> simple(const Head& head, std::string_view name) {
    switch (head.info) {
      case 20:
      case 21:
        builder_.scalar(Wire::Kind::Boolean, name, head.info == 21 ? "true" : "false");
        return {};
      case 22:
      case 23:
        builder_.scalar(Wire::Kind::Null, name, {});
        return {};
      case 25:
        number(name, "half");  // a float decides nothing: its value is not needed
        return {};
      case 26:
      case 27:
        number(name, "float");
        return {};
      default:
        return refuse("has a simple value without meaning");
    }
  }

  Result<void> value(std::string_view name, std::size_t depth) {
    if (depth > kMaxDepth || builder_.size() > kMaxNodes)
      return fail(ErrorCode::LimitExceeded, "the body's CBOR is too deep or too large");
    REMIT_TRY(const Head head, this->head());
    if (head.info == 31 && (head.major < 2 || head.major > 5))
      return refuse("has a length where none may be open");
    switch (head.major) {
      case 0:
        number(name, std::to_string(head.argument));
        return {};
      case 1:
        number(name, head.argument == ~std::uint64_t{0} ? "-18446744073709551616"
                                                        : "-" + std::to_string(head.argument + 1));
        return {};
      case 2:
      case 3: {
        REMIT_TRY(const std::string_view text, string(head));
        builder_.scalar(Wire::Kind::Text, name, text);
        return {};
      }
      case 4:
        return array(head, name, depth);
      case 5:
        return map(head, name, depth);
      case 6:
        return value(name, depth + 1);  // a tag (epoch time, big number): what it wraps
      default:
        return simple(head, name);
    }
  }

  std::string_view bytes_;
  std::size_t at_ = 0;
  WireBuilder& builder_;
};

}  // namespace

Result<Wire> Wire::from_cbor(std::string_view body) {
  WireBuilder builder;
  REMIT_CHECKED(CborReader(body, builder).run());
  return std::move(builder).take();
}

}  // namespace remit::aws
