#include "base/scrub.h"

#include "base/secret.h"

namespace remit {

void scrub(std::string& text) {
  text.resize(text.capacity());  // may be written now, to the last byte
  wipe(text.data(), text.size());
  text.clear();
}

ScrubAtEnd::~ScrubAtEnd() { scrub(text_); }

}  // namespace remit
