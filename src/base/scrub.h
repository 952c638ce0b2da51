#pragma once

#include <string>

namespace remit {

// Wipes a text that holds a secret because a library wants a std::string, when the scope ends:
//
//   std::string token = read();
//   const ScrubAtEnd scrub(token);
//
// All of its capacity goes, and the text is empty afterwards. What the text left behind when it
// grew or was copied is beyond reach: reserve, and move. Where a Secret can be used, use that.
class ScrubAtEnd {
 public:
  explicit ScrubAtEnd(std::string& text) : text_(text) {}
  ScrubAtEnd(const ScrubAtEnd&) = delete;
  ScrubAtEnd& operator=(const ScrubAtEnd&) = delete;
  ~ScrubAtEnd();

 private:
  std::string& text_;
};

void scrub(std::string& text);

}  // namespace remit
