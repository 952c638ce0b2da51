#pragma once

// One child process with its three pipes, started under a supervisor (supervisor.h), so that it and
// all it starts end when we end.

#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "gateway/supervisor_program.h"
#include "net/task.h"

namespace remit::gateway {

struct ChildOptions {
  std::vector<std::string> command;      // argv; the first is looked for in the child's PATH
  std::vector<std::string> environment;  // all of it, "NAME=value"
  std::string cwd;                       // empty: ours
  std::shared_ptr<const Supervisor> supervisor;  // not null
};

class Child : public std::enable_shared_from_this<Child> {
 public:
  // Unavailable when no process can be made. That the command itself cannot be run shows in
  // started().
  static Result<std::shared_ptr<Child>> start(net::Loop& loop, ChildOptions options);
  ~Child();  // what still runs is killed
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // Waits until the command runs or could not be run (Unavailable: "uvx: no such file ...").
  net::Task<Result<>> started();

  // Pipes. read_*: 0 bytes at the end. One operation at a time on each.
  net::Task<Result<>> write(std::string_view bytes);  // all of it; the caller keeps the bytes
  net::Task<std::size_t> read_output(std::span<char> into);
  net::Task<std::size_t> read_errors(std::span<char> into);
  void close_input();

  void terminate();  // SIGTERM to its process group
  void kill();       // SIGKILL to all it started

  bool ended() const { return ended_.is_set(); }
  net::Task<> wait() { return ended_.wait(); }
  net::Task<bool> wait_for(std::chrono::milliseconds limit) { return ended_.wait_for(limit); }
  std::string how_it_ended() const;  // "exited with 1", "was killed by signal 9"
  int process_id() const { return process_id_; }
  // Of which the command and all that it starts are descendants; -1 once it ended.
  int supervisor_id() const { return supervisor_; }

 private:
  using Pipe = boost::asio::posix::basic_stream_descriptor<net::Executor>;
  Child(net::Loop& loop, std::string name);
  static net::Task<> watch(std::shared_ptr<Child> self);
  void order(char what);

  std::string name_;
  Pipe input_;
  Pipe output_;
  Pipe errors_;
  Pipe control_;
  net::Event started_;
  net::Event ended_;
  int supervisor_ = -1;  // process id, until reaped
  int process_id_ = 0;
  int exec_error_ = 0;
  int status_ = 0;
};

}  // namespace remit::gateway
