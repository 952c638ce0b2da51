#include "aws/chunked.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "aws/event_stream.h"
#include "aws/sigv4_key.h"
#include "base/encoding.h"

namespace remit::aws {

namespace {

constexpr std::string_view kHashOfNothing =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr std::string_view kSignatureMark = ";chunk-signature=";
constexpr std::string_view kTrailerSignature = "x-amz-trailer-signature";
constexpr std::size_t kMaxSizeLine = 256;
constexpr std::size_t kMaxTrailerLine = 4096;
constexpr std::size_t kMaxTrailers = 16;

std::unexpected<Error> malformed(std::string message) {
  return fail(ErrorCode::InvalidInput, "aws-chunked body: " + std::move(message));
}

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_token(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

// One side's chain of signatures: each covers the one before.
class Chain {
 public:
  Chain() = default;
  explicit Chain(const Seed& seed) : seed_(seed) {
    prefix_ =
        seed.algorithm == Algorithm::HmacSha256 ? "AWS4-HMAC-SHA256" : "AWS4-ECDSA-P256-SHA256";
  }

  // A signature of ECDSA varies in length: on the wire it is padded with '*'.
  std::size_t width() const {
    return seed_.algorithm == Algorithm::HmacSha256 ? kHmacSignatureHex : kMaxSignatureHex;
  }

  bool verify(std::string_view kind, std::string_view hash, std::string_view on_wire) {
    const std::string_view signature = on_wire.substr(0, on_wire.find('*'));
    const std::string_view padding = on_wire.substr(signature.size());
    if (padding.find_first_not_of('*') != padding.npos) return false;
    build(kind, hash);
    if (!seed_.key->verify(text_, signature)) return false;
    seed_.signature.assign(signature);
    return true;
  }

  // Writes width() bytes.
  void sign(std::string_view kind, std::string_view hash, char* on_wire) {
    build(kind, hash);
    SignatureText signature;
    seed_.key->sign(text_, signature);
    seed_.signature.assign(signature.view());
    std::ranges::fill(std::ranges::copy(signature.view(), on_wire).out, on_wire + width(), '*');
  }

 private:
  void build(std::string_view kind, std::string_view hash) {
    text_.assign(prefix_).append(kind).append("\n").append(seed_.timestamp).append("\n");
    text_.append(seed_.scope).append("\n").append(seed_.signature).append("\n");
    if (kind == "-PAYLOAD") text_.append(kHashOfNothing).append("\n");
    text_.append(hash);
  }

  Seed seed_;  // .signature is the last one of the chain
  std::string_view prefix_;
  std::string text_;
};

// The names of X-Amz-Trailer, lower case.
Result<std::vector<std::string>> read_names(std::string_view list) {
  std::vector<std::string> names;
  while (!list.empty()) {
    const std::string_view item = list.substr(0, list.find(','));
    list.remove_prefix(std::min(item.size() + 1, list.size()));
    std::string name = lower_ascii(trim_ascii(item));
    if (name.empty() || !std::ranges::all_of(name, is_token) || name == kTrailerSignature ||
        std::ranges::find(names, name) != names.end() || names.size() == kMaxTrailers) {
      return malformed("X-Amz-Trailer is malformed");
    }
    names.push_back(std::move(name));
  }
  return names;
}

struct Trailer {
  std::string name;
  std::string value;
};

}  // namespace

struct Reframer::State {
  enum class Phase : std::uint8_t { SizeLine, Data, DataEnd, TrailerLine, Done };

  bool is_signed = false;
  bool has_trailer = false;
  std::uint64_t decoded_length = 0;
  std::size_t max_chunk = 0;
  Chain inbound, outbound;
  std::vector<std::string> trailer_names;

  std::optional<EventResigner> events;  // then nothing else of this is used

  Phase phase = Phase::SizeLine;
  std::string pending;         // what may not be sent yet: a line, or a whole signed chunk
  std::size_t line_start = 0;  // of the current line in `pending`
  std::uint64_t chunk_size = 0;
  std::uint64_t chunk_left = 0;
  std::size_t signature_at = 0;  // in `pending`
  std::uint64_t decoded = 0;
  PlainSha256 hash;
  std::vector<Trailer> trailers;
  bool trailer_signed = false;
  bool failed = false;

  Result<> feed(std::string_view bytes, std::string& out);
  Result<bool> take_line(std::string_view& bytes, std::size_t most);
  std::string_view line() const {
    return std::string_view(pending).substr(line_start, pending.size() - line_start - 2);
  }
  Result<> on_size_line(std::string& out);
  Result<> read_size(std::string_view text);
  Result<> on_data(std::string_view& bytes, std::string& out);
  Result<> on_data_end(std::string_view& bytes, std::string& out);
  Result<> on_trailer_line(std::string& out);
  Result<> check_trailer_signature(std::string_view on_wire);
  Result<> resign_chunk();
  void release(std::string& out);
  Result<> end();
};

Result<Reframer> Reframer::make(const ReframeInput& input) {
  auto state = std::make_unique<State>();
  state->is_signed = input.payload != Payload::StreamingUnsignedTrailer;
  state->has_trailer = input.payload == Payload::StreamingUnsignedTrailer ||
                       input.payload == Payload::StreamingHmacTrailer ||
                       input.payload == Payload::StreamingEcdsaTrailer;
  state->decoded_length = input.decoded_length;
  state->max_chunk = input.max_chunk;
  if (input.payload == Payload::StreamingEvents) {
    if (!input.inbound.key || !input.outbound.key) {
      return fail(ErrorCode::Internal, "an event stream without keys");
    }
    state->events.emplace(input.inbound, input.outbound, input.max_chunk);
    return Reframer(std::move(state));
  }
  if (!is_aws_chunked(input.payload)) {
    return fail(ErrorCode::InvalidInput, "the body is not aws-chunked");
  }
  if (state->is_signed) {
    const bool ecdsa =
        input.payload == Payload::StreamingEcdsa || input.payload == Payload::StreamingEcdsaTrailer;
    const Algorithm algorithm = ecdsa ? Algorithm::EcdsaP256Sha256 : Algorithm::HmacSha256;
    if (input.inbound.algorithm != algorithm || input.outbound.algorithm != algorithm ||
        !input.inbound.key || !input.outbound.key) {
      return fail(ErrorCode::Internal, "the keys of an aws-chunked body do not fit its form");
    }
    state->inbound = Chain(input.inbound);
    state->outbound = Chain(input.outbound);
  }
  if (state->has_trailer) {
    REMIT_TRY(state->trailer_names, read_names(input.trailers));
  }
  return Reframer(std::move(state));
}

Reframer::Reframer(std::unique_ptr<State> state) : state_(std::move(state)) {}
Reframer::Reframer(Reframer&&) noexcept = default;
Reframer& Reframer::operator=(Reframer&&) noexcept = default;
Reframer::~Reframer() = default;

std::uint64_t Reframer::decoded_bytes() const {
  return state_->events ? state_->events->wrapped_bytes() : state_->decoded;
}

Result<ReframeState> Reframer::feed(std::string_view bytes, std::string& out) {
  if (state_->failed) return malformed("an error came before");
  if (auto result = state_->feed(bytes, out); !result) {
    state_->failed = true;
    return std::unexpected(std::move(result).error());
  }
  return state_->phase == State::Phase::Done ? ReframeState::Done : ReframeState::NeedMore;
}

Result<> Reframer::finish() const {
  if (state_->phase == State::Phase::Done && !state_->failed) return {};
  return malformed("ends in the middle");
}

Result<> Reframer::State::feed(std::string_view bytes, std::string& out) {
  if (events) {
    REMIT_CHECKED(events->feed(bytes, out));
    if (events->done()) phase = Phase::Done;
    return {};
  }
  while (!bytes.empty()) {
    switch (phase) {
      case Phase::SizeLine: {
        REMIT_TRY(const bool whole, take_line(bytes, kMaxSizeLine));
        if (whole) REMIT_CHECKED(on_size_line(out));
        break;
      }
      case Phase::Data:
        REMIT_CHECKED(on_data(bytes, out));
        break;
      case Phase::DataEnd:
        REMIT_CHECKED(on_data_end(bytes, out));
        break;
      case Phase::TrailerLine: {
        REMIT_TRY(const bool whole, take_line(bytes, kMaxTrailerLine));
        if (whole) REMIT_CHECKED(on_trailer_line(out));
        break;
      }
      case Phase::Done:
        return malformed("goes on after its end");
    }
  }
  return {};
}

// Moves bytes to `pending` up to and with the end of the line; true when the line is whole.
Result<bool> Reframer::State::take_line(std::string_view& bytes, std::size_t most) {
  const auto newline = bytes.find('\n');
  const std::size_t take = newline == bytes.npos ? bytes.size() : newline + 1;
  if (pending.size() - line_start + take > most) return malformed("a line is too long");
  pending.append(bytes, 0, take);
  bytes.remove_prefix(take);
  if (newline == bytes.npos) return false;
  const std::size_t size = pending.size() - line_start;
  if (size < 2 || pending[pending.size() - 2] != '\r')
    return malformed("a line does not end in CRLF");
  return true;
}

Result<> Reframer::State::read_size(std::string_view text) {
  if (text.empty() || text.size() > 15) return malformed("a chunk's size is malformed");
  chunk_size = 0;
  for (const char c : text) {
    const int digit = digit_value(c);
    if (digit < 0) return malformed("a chunk's size is malformed");
    chunk_size = chunk_size * 16 + static_cast<std::uint64_t>(digit);
  }
  if (chunk_size > decoded_length - decoded) {
    return malformed("holds more than X-Amz-Decoded-Content-Length says");
  }
  if (is_signed && chunk_size > max_chunk) {
    return fail(ErrorCode::LimitExceeded,
                "aws-chunked body: a signed chunk of " + std::to_string(chunk_size) +
                    " bytes; at most " + std::to_string(max_chunk) +
                    " are held, because a chunk must be checked before it is sent on");
  }
  return {};
}

Result<> Reframer::State::on_size_line(std::string& out) {
  std::string_view text = line();
  if (is_signed) {
    const auto mark = text.find(';');
    const std::size_t start = mark == text.npos ? text.size() : mark;
    if (!text.substr(start).starts_with(kSignatureMark) ||
        text.size() - start - kSignatureMark.size() != inbound.width()) {
      return malformed("a chunk has no chunk-signature of the right length");
    }
    signature_at = line_start + start + kSignatureMark.size();
    text = text.substr(0, start);
  }
  REMIT_CHECKED(read_size(text));
  chunk_left = chunk_size;
  if (chunk_size > 0) {
    phase = Phase::Data;
    if (is_signed) pending.reserve(pending.size() + static_cast<std::size_t>(chunk_size) + 2);
  } else {
    if (decoded != decoded_length) {
      return malformed("holds less than X-Amz-Decoded-Content-Length says");
    }
    phase = has_trailer ? Phase::TrailerLine : Phase::DataEnd;
    if (has_trailer && is_signed) REMIT_CHECKED(resign_chunk());
  }
  if (!is_signed || phase == Phase::TrailerLine) release(out);
  line_start = pending.size();
  return {};
}

Result<> Reframer::State::on_data(std::string_view& bytes, std::string& out) {
  const auto take = static_cast<std::size_t>(std::min<std::uint64_t>(chunk_left, bytes.size()));
  const std::string_view data = bytes.substr(0, take);
  bytes.remove_prefix(take);
  if (is_signed) {
    hash.update(data);
    pending.append(data);
  } else {
    out.append(data);
  }
  chunk_left -= take;
  decoded += take;
  if (chunk_left == 0) {
    phase = Phase::DataEnd;
    line_start = pending.size();
  }
  return {};
}

Result<> Reframer::State::on_data_end(std::string_view& bytes, std::string& out) {
  const char wanted = pending.size() == line_start ? '\r' : '\n';
  if (bytes.front() != wanted) return malformed("a chunk's data does not end in CRLF");
  pending.push_back(wanted);
  bytes.remove_prefix(1);
  if (wanted == '\r') return {};
  if (is_signed) REMIT_CHECKED(resign_chunk());
  release(out);
  phase = chunk_size == 0 ? Phase::Done : Phase::SizeLine;
  return {};
}

// The client's signature of the chunk in `pending` is checked, and ours put in its place.
Result<> Reframer::State::resign_chunk() {
  std::array<std::byte, 32> digest;
  hash.finish(digest);
  std::string text;
  append_hex(text, digest);
  char* signature = pending.data() + signature_at;
  if (!inbound.verify("-PAYLOAD", text, {signature, inbound.width()})) {
    return fail(ErrorCode::Denied, "aws-chunked body: the signature of a chunk does not match");
  }
  outbound.sign("-PAYLOAD", text, signature);
  return {};
}

void Reframer::State::release(std::string& out) {
  if (out.empty()) {
    std::swap(out, pending);  // a whole chunk changes hands without a copy
  } else {
    out.append(pending);
  }
  pending.clear();
  line_start = 0;
}

Result<> Reframer::State::on_trailer_line(std::string& out) {
  const std::string_view text = line();
  if (text.empty()) {
    REMIT_CHECKED(end());
    release(out);
    return {};
  }
  const auto colon = text.find(':');
  if (colon == text.npos || colon == 0) return malformed("a trailer line is malformed");
  std::string name = lower_ascii(text.substr(0, colon));
  const std::string_view value = trim_ascii(text.substr(colon + 1));
  const bool printable = std::ranges::all_of(value, [](char c) { return c >= 0x20 && c != 0x7F; });
  if (!std::ranges::all_of(name, is_token) || !printable) {
    return malformed("a trailer line is malformed");
  }
  if (trailer_signed) return malformed("a trailer follows the trailers' signature");
  if (is_signed && name == kTrailerSignature) {
    REMIT_CHECKED(check_trailer_signature(value));
  } else {
    const bool doubled =
        std::ranges::any_of(trailers, [&](const Trailer& t) { return t.name == name; });
    if (doubled || std::ranges::find(trailer_names, name) == trailer_names.end()) {
      return malformed("the trailer " + name.substr(0, 64) +
                       (doubled ? " is there twice" : " is not announced by X-Amz-Trailer"));
    }
    trailers.push_back({std::move(name), std::string(value)});
  }
  line_start = pending.size();
  return {};
}

Result<> Reframer::State::check_trailer_signature(std::string_view on_wire) {
  if (on_wire.size() != inbound.width()) {
    return malformed("the trailers' signature does not have the right length");
  }
  std::ranges::sort(trailers, {}, &Trailer::name);
  std::string canonical;
  for (const Trailer& t : trailers)
    canonical.append(t.name).append(":").append(t.value).append("\n");
  const std::string text = sha256_hex(canonical);
  char* signature = pending.data() + (on_wire.data() - pending.data());
  if (!inbound.verify("-TRAILER", text, on_wire)) {
    return fail(ErrorCode::Denied,
                "aws-chunked body: the signature of the trailers does not match");
  }
  outbound.sign("-TRAILER", text, signature);
  trailer_signed = true;
  return {};
}

Result<> Reframer::State::end() {
  if (trailers.size() != trailer_names.size()) {
    return malformed("a trailer that X-Amz-Trailer announces is missing");
  }
  if (is_signed && !trailer_signed) return malformed("the trailers are not signed");
  phase = Phase::Done;
  return {};
}

}  // namespace remit::aws
