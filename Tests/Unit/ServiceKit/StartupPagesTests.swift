import Testing

@testable import ServiceKit

@Suite("Memory of the start")
struct StartupPagesTests {
    @Test func onlyUnwrittenCodeFromFilesIsGivenBack() {
        let maps = """
            55d0c0000000-55d0c0010000 r--p 00000000 fe:01 1234    /app/notifier
            55d0c0010000-55d0c0030000 r-xp 00010000 fe:01 1234    /app/notifier
            55d0c0030000-55d0c0040000 r--p 00030000 fe:01 1234    /app/notifier
            55d0c0040000-55d0c0050000 rw-p 00040000 fe:01 1234    /app/notifier
            7f0000000000-7f0000001000 rwxp 00000000 00:00 0
            7f0000001000-7f0000002000 r-xp 00000000 00:00 0
            7fff00000000-7fff00002000 r-xp 00000000 00:00 0       [vdso]
            7f1000000000-7f1000400000 r-xp 00028000 fe:01 99      /usr/lib/a library.so
            """
        #expect(
            StartupPages.codeRanges(maps) == [
                0x55d0_c001_0000..<0x55d0_c003_0000, 0x7f10_0000_0000..<0x7f10_0040_0000,
            ])
    }

    @Test func theListOfMappingsIsReadToItsEnd() {
        #expect(StartupPages.currentMaps().contains("[stack]"))
    }

    @Test func theProcessRunsOnAfterGivingItsCodeBack() async {
        StartupPages.giveBackNow()
        await Task.yield()
        #expect(StartupPages.codeRanges(StartupPages.currentMaps()).count > 3)
    }
}
