/// What is logged while it lives: stderr goes into a file.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>

namespace support {

class CapturedLog {
public:
    explicit CapturedLog(std::filesystem::path file) : file_(std::move(file)), before_(::dup(2)) {
        const int into = ::open(file_.c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600);
        ::dup2(into, 2);
        ::close(into);
    }
    ~CapturedLog() { let_go(); }
    std::string text() {
        let_go();
        std::ifstream in{file_};
        std::stringstream all;
        all << in.rdbuf();
        return all.str();
    }

private:
    void let_go() {
        if (before_ < 0) return;
        ::dup2(before_, 2);
        ::close(before_);
        before_ = -1;
    }
    std::filesystem::path file_;
    int before_;
};

} // namespace support
