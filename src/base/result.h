#pragma once

// Errors are values: a Result holds what was asked for or an Error with a reason for people.
// Exceptions are for bugs only; those of libraries are caught at the border of the room.

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace remit {

enum class ErrorCode : std::uint8_t {
  InvalidInput,   // somebody sent or wrote something malformed: say what would be right
  Denied,         // a policy said no
  Unavailable,    // a dependency failed: a retry may help
  LimitExceeded,  // size, depth, rate or time bound
  Internal,       // a bug of ours
};

struct [[nodiscard]] Error {
  ErrorCode code = ErrorCode::Internal;
  std::string message;  // lower case, no final stop, never a secret
};

template <class T = void>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(ErrorCode code, std::string message) {
  return std::unexpected(Error{code, std::move(message)});
}

// Puts `where` (a file, a field, a peer) in front of the reason.
inline std::unexpected<Error> wrap(std::string_view where, Error error) {
  error.message.insert(0, ": ").insert(0, where);
  return std::unexpected(std::move(error));
}

}  // namespace remit

#define REMIT_CONCAT_INNER(a, b) a##b
#define REMIT_CONCAT(a, b) REMIT_CONCAT_INNER(a, b)

// REMIT_TRY(auto x, f()) declares x from f()'s value or returns its error from this function.
#define REMIT_TRY(declaration, expression)                                         \
  auto REMIT_CONCAT(remit_try_, __LINE__) = (expression);                          \
  if (!REMIT_CONCAT(remit_try_, __LINE__))                                         \
    return std::unexpected(std::move(REMIT_CONCAT(remit_try_, __LINE__)).error()); \
  declaration = *std::move(REMIT_CONCAT(remit_try_, __LINE__))

// REMIT_CHECKED(f()) returns the error of a Result<void> from this function.
#define REMIT_CHECKED(expression)                               \
  do {                                                          \
    if (auto remit_checked = (expression); !remit_checked)      \
      return std::unexpected(std::move(remit_checked).error()); \
  } while (false)

// The same two in a coroutine.
#define REMIT_CO_TRY(declaration, expression)                                         \
  auto REMIT_CONCAT(remit_try_, __LINE__) = (expression);                             \
  if (!REMIT_CONCAT(remit_try_, __LINE__))                                            \
    co_return std::unexpected(std::move(REMIT_CONCAT(remit_try_, __LINE__)).error()); \
  declaration = *std::move(REMIT_CONCAT(remit_try_, __LINE__))

#define REMIT_CO_CHECKED(expression)                               \
  do {                                                             \
    if (auto remit_checked = (expression); !remit_checked)         \
      co_return std::unexpected(std::move(remit_checked).error()); \
  } while (false)
