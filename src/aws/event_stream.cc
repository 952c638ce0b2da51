#include "aws/event_stream.h"

#include <algorithm>
#include <boost/crc.hpp>
#include <chrono>
#include <optional>
#include <span>
#include <utility>

#include "aws/credentials.h"
#include "aws/sigv4_key.h"
#include "base/digest.h"
#include "base/encoding.h"

namespace remit::aws {

namespace {

constexpr std::size_t kPrelude = 12;  // two lengths and their CRC
constexpr std::size_t kCrc = 4;
constexpr char kTimestamp = 8;
constexpr char kBytes = 6;
constexpr std::string_view kDateName = ":date";
constexpr std::string_view kSignatureName = ":chunk-signature";
constexpr std::size_t kSignatureBytes = 32;

std::unexpected<Error> refuse(std::string message) {
  return fail(ErrorCode::InvalidInput, "event stream: " + std::move(message));
}

std::uint64_t read_number(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes) value = (value << 8) | static_cast<unsigned char>(c);
  return value;
}

std::uint32_t crc_of(std::string_view bytes) {
  boost::crc_32_type crc;
  crc.process_bytes(bytes.data(), bytes.size());
  return crc.checksum();
}

void write_crc(char* at, std::uint32_t crc) {
  for (int shift = 24; shift >= 0; shift -= 8) *at++ = static_cast<char>((crc >> shift) & 0xFF);
}

// The two headers of a signed message, each exactly once.
struct SignedHeaders {
  std::string_view date;       // the whole header, which the signature covers
  std::uint64_t milliseconds;  // since 1970
  std::string_view signature;
};

std::optional<SignedHeaders> read_headers(std::string_view raw) {
  SignedHeaders found{};
  while (!raw.empty()) {
    const std::size_t name_size = static_cast<unsigned char>(raw[0]);
    if (raw.size() < 1 + name_size + 1) return std::nullopt;
    const std::string_view name = raw.substr(1, name_size);
    const char type = raw[1 + name_size];
    std::size_t size = 1 + name_size + 1;
    if (name == kDateName && type == kTimestamp && found.date.empty()) {
      if (raw.size() < size + 8) return std::nullopt;
      found.milliseconds = read_number(raw.substr(size, 8));
      size += 8;
      found.date = raw.substr(0, size);
    } else if (name == kSignatureName && type == kBytes && found.signature.empty()) {
      if (raw.size() < size + 2 + kSignatureBytes) return std::nullopt;
      if (read_number(raw.substr(size, 2)) != kSignatureBytes) return std::nullopt;
      found.signature = raw.substr(size + 2, kSignatureBytes);
      size += 2 + kSignatureBytes;
    } else {
      return std::nullopt;
    }
    raw.remove_prefix(size);
  }
  if (found.date.empty() || found.signature.empty()) return std::nullopt;
  return found;
}

// A message that is signed after midnight is of another day than the head.
const StringSigner* key_of_day(const Seed& seed, std::string_view day) {
  if (seed.scope.starts_with(day)) return seed.key.get();
  return day == seed.next_day ? seed.next_day_key.get() : nullptr;
}

std::string string_to_sign(const Seed& seed, std::string_view timestamp, std::string_view date_hash,
                           std::string_view payload_hash) {
  std::string text = "AWS4-HMAC-SHA256-PAYLOAD\n";
  text.append(timestamp).append("\n").append(timestamp.substr(0, 8));
  text.append(seed.scope, seed.scope.find('/')).append("\n").append(seed.signature).append("\n");
  text.append(date_hash).append("\n").append(payload_hash);
  return text;
}

}  // namespace

EventResigner::EventResigner(Seed inbound, Seed outbound, std::size_t max_message)
    : inbound_(std::move(inbound)),
      outbound_(std::move(outbound)),
      max_message_(max_message),
      wanted_(kPrelude) {}

Result<> EventResigner::feed(std::string_view bytes, std::string& out) {
  while (!bytes.empty()) {
    if (done_) return refuse("goes on after its end");
    const std::size_t take = std::min(bytes.size(), wanted_ - pending_.size());
    pending_.append(bytes, 0, take);
    bytes.remove_prefix(take);
    if (pending_.size() < wanted_) break;
    if (wanted_ == kPrelude) {
      const std::string_view prelude = pending_;
      const std::uint64_t total = read_number(prelude.substr(0, 4));
      const std::uint64_t headers = read_number(prelude.substr(4, 4));
      if (read_number(prelude.substr(8, 4)) != crc_of(prelude.substr(0, 8))) {
        return refuse("the CRC of a prelude is wrong");
      }
      if (total < kPrelude + kCrc || headers > total - kPrelude - kCrc) {
        return refuse("the lengths of a message are wrong");
      }
      if (total > max_message_) {
        return fail(ErrorCode::LimitExceeded, "event stream: a message of " +
                                                  std::to_string(total) + " bytes; at most " +
                                                  std::to_string(max_message_) + " are held");
      }
      wanted_ = static_cast<std::size_t>(total);
      continue;
    }
    REMIT_CHECKED(on_message(pending_));
    out.append(pending_);
    pending_.clear();
    wanted_ = kPrelude;
  }
  return {};
}

// Checks the client's signature of a whole message and puts ours in its place.
Result<> EventResigner::on_message(std::string& message) {
  const std::string_view whole = message;
  const std::string_view covered = whole.substr(0, whole.size() - kCrc);
  if (read_number(whole.substr(covered.size())) != crc_of(covered)) {
    return refuse("the CRC of a message is wrong");
  }
  const auto header_size = static_cast<std::size_t>(read_number(whole.substr(4, 4)));
  const auto headers = read_headers(whole.substr(kPrelude, header_size));
  if (!headers) return refuse("a message has other headers than :date and :chunk-signature");
  const std::string_view payload = covered.substr(kPrelude + header_size);

  constexpr std::uint64_t kYear9999 = 253'402'300'799'000;
  if (headers->milliseconds > kYear9999) return refuse("a message of no possible time");
  const TimePoint time{std::chrono::duration_cast<TimePoint::duration>(
      std::chrono::milliseconds(headers->milliseconds))};
  std::string timestamp;
  append_amz_date(timestamp, time);
  const std::string_view day = std::string_view(timestamp).substr(0, 8);
  const StringSigner* theirs = key_of_day(inbound_, day);
  const StringSigner* ours = key_of_day(outbound_, day);
  if (theirs == nullptr || ours == nullptr) {
    return fail(ErrorCode::Denied, "event stream: a message of another day than its request");
  }
  const std::string date_hash = sha256_hex(headers->date);
  const std::string payload_hash = sha256_hex(payload);
  const std::string signature = hex(std::as_bytes(std::span(headers->signature)));
  if (!theirs->verify(string_to_sign(inbound_, timestamp, date_hash, payload_hash), signature)) {
    return fail(ErrorCode::Denied, "event stream: the signature of a message does not match");
  }
  inbound_.signature = signature;
  SignatureText made;
  ours->sign(string_to_sign(outbound_, timestamp, date_hash, payload_hash), made);
  outbound_.signature.assign(made.view());
  const auto bytes = unhex(made.view());
  if (!bytes || bytes->size() != kSignatureBytes) {
    return fail(ErrorCode::Internal, "a signature of another length");
  }
  wrapped_bytes_ += payload.size();
  done_ = payload.empty();
  const auto signature_at = static_cast<std::size_t>(headers->signature.data() - whole.data());
  message.replace(signature_at, kSignatureBytes, *bytes);
  const std::size_t crc_at = message.size() - kCrc;
  write_crc(message.data() + crc_at, crc_of(std::string_view(message).substr(0, crc_at)));
  return {};
}

}  // namespace remit::aws
