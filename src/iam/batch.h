#pragma once

// One case of `remit explain --batch`: a line of JSON in, a line of JSON out (the form of both is
// in docs/iam.md). Pure: reading lines and writing them is the caller's.

#include <memory>
#include <string>
#include <string_view>

namespace remit::iam {

// What a case may hold. Beyond it the answer is an error, so that no line costs more than a bounded
// amount of memory and time.
struct BatchLimits {
  std::size_t max_line_bytes = std::size_t{8} << 20;
  std::size_t max_depth = 64;
  std::size_t max_text_bytes = 8192;  // of the resource's ARN and of one context value
  // Policy text times request text: what the slowest match of all patterns may cost.
  std::uint64_t max_work = 2'000'000'000;
};

// Answers case after case and keeps its buffers between them. Not for two threads at once.
class Batch {
 public:
  explicit Batch(BatchLimits limits = {});
  Batch(Batch&&) noexcept;
  Batch& operator=(Batch&&) noexcept;
  ~Batch();

  // Appends {"id","decision","because"} or {"id","error"}, without a newline.
  void answer(std::string_view line, std::string& out);
  // The answer to a line of which only the beginning was read, for its length.
  void refuse_too_long(std::string_view beginning, std::string& out);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace remit::iam
