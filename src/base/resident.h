#pragma once

// What a process keeps in memory that it does not need there.

namespace remit {

// Gives back the pages of code and read-only data of the program and its libraries, most of which
// only starting up touched (a catalogue that was checked, relocations, constructors): some 15 MiB
// of a gateway. Those that are needed again are mapped again from the file, sixteen with one fault.
// No page that was ever written to is among them.
// https://man7.org/linux/man-pages/man2/madvise.2.html
void forget_pages_of_start();

}  // namespace remit
