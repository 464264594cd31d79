import Foundation

/// How a process of ours ends.
public enum ProcessEnd {
    /// Writes out what is buffered and ends the process at once, without the handlers of `exit`.
    ///
    /// One of those takes OpenSSL's tables away while threads that libpq, libcurl and librabbitmq have used are still
    /// ending, each of which looks into them: a process that had done everything right then crashed in its last
    /// millisecond (`OPENSSL_init_crypto(3)`, under `OPENSSL_INIT_NO_ATEXIT`). The system takes back all there is.
    public static func now(_ code: Int32) -> Never {
        fflush(nil)
        _exit(code)
    }
}
