import Bytes
import Testing

@Suite struct ZeroedArrayTests {
    @Test("It begins as zeros, and each place holds what was put there")
    func places() {
        var array = ZeroedArray<Int32>(count: 1000)
        var sum: Int32 = 0
        for index in 0..<array.count { sum |= array[index] }
        #expect(sum == 0)
        for index in 0..<array.count { array[index] = Int32(index) - 500 }
        for index in 0..<array.count {
            let found = array[index]
            #expect(found == Int32(index) - 500)
        }
    }
}
